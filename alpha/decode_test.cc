#include "alpha/decode.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "alpha/cost.h"
#include "alpha/encode.h"
#include "alpha/instruction.h"
#include "alpha/qualifiers.h"

namespace isochron::alpha {
namespace {

constexpr size_t kRows = static_cast<size_t>(Op::kReserved);

template <typename Visitor>
void ForEachRow(Visitor visit) {
  for (size_t i = 0; i < kRows; ++i) visit(static_cast<Op>(i));
}

TEST(InstructionTable, NamesAreUnique) {
  std::set<std::string_view> names;
  std::set<std::string_view> mnemonics;
  ForEachRow([&](Op op) {
    EXPECT_TRUE(names.insert(Info(op).name).second) << Info(op).name;
    EXPECT_TRUE(mnemonics.insert(Info(op).mnemonic).second) << Info(op).mnemonic;
  });
}

TEST(InstructionTable, EveryInstructionOfTheChipIsThere) {
  std::map<Extension, int> count;
  ForEachRow([&](Op op) { ++count[Info(op).extension]; });
  EXPECT_EQ(count[Extension::kBwx], 6);   // LDBU LDWU STB STW SEXTB SEXTW
  EXPECT_EQ(count[Extension::kFix], 9);   // SQRTx, ITOFx, FTOIx
  EXPECT_EQ(count[Extension::kCix], 3);   // CTPOP CTLZ CTTZ
  EXPECT_EQ(count[Extension::kMvi], 13);  // PERR, MINxxx, MAXxxx, PKxB, UNPKBx
  EXPECT_EQ(count[Extension::kPal], 5);
  EXPECT_EQ(kRows, 205u);
}

TEST(InstructionTable, CostsAreThoseOfInstructionRows) {
  ForEachRow([&](Op op) {
    EXPECT_LT(Info(op).cost, CostClass::kReserved) << Info(op).name;
    EXPECT_GT(InstructionCost(Info(op).cost), 0u) << Info(op).name;
  });
}

TEST(InstructionTable, FloatingPointRaisesFen) {
  ForEachRow([&](Op op) {
    const OperandRoles roles = RolesOf(Info(op).shape);
    const auto is_float = [](RegisterRole role) { return role >= RegisterRole::kFloatRead; };
    const bool uses_float = is_float(roles.ra) || is_float(roles.rb) || is_float(roles.rc);
    EXPECT_EQ((Info(op).raises & raises::kFen) != 0, uses_float) << Info(op).name;
  });
}

TEST(Decode, EveryRowAndQualifierDecodesToItself) {
  ForEachRow([&](Op op) {
    for (const QualifierVariant& variant : VariantsOf(Info(op).qualifiers)) {
      const uint32_t word = Skeleton(op, variant);
      const Instruction i = Decode(word);
      EXPECT_EQ(i.op, op) << Info(op).name << variant.suffix;
      EXPECT_EQ(i.word, word);
      if (Info(op).qualifiers == QualifierSet::kNone) continue;
      const std::string_view suffix = variant.suffix;
      const auto has = [&](char c) { return suffix.find(c) != std::string_view::npos; };
      EXPECT_EQ(i.qualifiers.underflow, has('u') || has('v')) << Info(op).name << suffix;
      EXPECT_EQ(i.qualifiers.software, has('s')) << Info(op).name << suffix;
      EXPECT_EQ(i.qualifiers.inexact, has('i')) << Info(op).name << suffix;
      if (Info(op).qualifiers == QualifierSet::kCvtql) continue;  // does not round
      const Rounding rounding = has('c')   ? Rounding::kChopped
                                : has('m') ? Rounding::kMinusInfinity
                                : has('d') ? Rounding::kDynamic
                                           : Rounding::kNearest;
      EXPECT_EQ(i.qualifiers.rounding, rounding) << Info(op).name << suffix;
    }
  });
}

TEST(Decode, NoTwoRowsShareAWord) {
  std::map<uint32_t, std::string> words;
  ForEachRow([&](Op op) {
    for (const QualifierVariant& variant : VariantsOf(Info(op).qualifiers)) {
      const std::string name = std::string(Info(op).name) + std::string(variant.suffix);
      const auto [it, inserted] = words.emplace(Skeleton(op, variant), name);
      EXPECT_TRUE(inserted) << name << " and " << it->second;
    }
  });
}

TEST(Decode, FieldsOfEachFormat) {
  Instruction i = Decode(0x23BD87FC);  // lda gp,-30724(gp)
  EXPECT_EQ(i.op, Op::kLda);
  EXPECT_EQ(i.ra, 29);
  EXPECT_EQ(i.rb, 29);
  EXPECT_EQ(i.immediate, -30724);

  i = Decode(0x27BBFFFF);  // ldah gp,-1(t12)
  EXPECT_EQ(i.op, Op::kLdah);
  EXPECT_EQ(i.immediate, -65536);

  i = Decode(0xC3FFFFFE);  // br zero,.-4
  EXPECT_EQ(i.op, Op::kBr);
  EXPECT_EQ(i.immediate, -8);

  i = Decode(0x6BFA8001);  // ret zero,(ra),1
  EXPECT_EQ(i.op, Op::kRet);
  EXPECT_EQ(i.rb, 26);
  EXPECT_EQ(i.immediate, 1);

  i = Decode(WithRc(WithLiteral(WithRa(Skeleton(Op::kAddq), 7), 255), 3));
  EXPECT_EQ(i.op, Op::kAddq);
  EXPECT_TRUE(i.literal);
  EXPECT_EQ(i.immediate, 255);
  EXPECT_EQ(i.ra, 7);
  EXPECT_EQ(i.rc, 3);

  i = Decode(0x00000083);
  EXPECT_EQ(i.op, Op::kCallPal);
  EXPECT_EQ(i.immediate, 0x83);

  i = Decode(0x6C223FFC);  // hw_ldq_l/p t0,-4(t1)
  EXPECT_EQ(i.op, Op::kHwLd);
  EXPECT_EQ(i.pal_type >> 1, static_cast<int>(HwLoadType::kPhysicalLock));
  EXPECT_EQ(i.pal_type & kHwQuadword, kHwQuadword);
  EXPECT_EQ(i.immediate, -4);

  i = Decode(0x77E210FF);  // hw_mtpr t1,0x10ff
  EXPECT_EQ(i.op, Op::kHwMtpr);
  EXPECT_EQ(i.rb, 2);
  EXPECT_EQ(i.immediate, 0x10FF);

  i = Decode(0x7BF7A000);  // hw_ret/stall ($23)
  EXPECT_EQ(i.op, Op::kHwRet);
  EXPECT_EQ(i.rb, 23);
  EXPECT_EQ(i.pal_type & kHwStall, kHwStall);
  EXPECT_EQ(i.immediate, 0);
}

TEST(Decode, FixedFieldsDecideWhetherAWordIsReserved) {
  const auto op = [](uint32_t word) { return Decode(word).op; };
  EXPECT_EQ(op(WithRa(Skeleton(Op::kSextb), 0)), Op::kReserved);
  EXPECT_EQ(op(WithLiteral(Skeleton(Op::kSextb), 200)), Op::kSextb);
  EXPECT_EQ(op(WithLiteral(Skeleton(Op::kCtpop), 200)), Op::kReserved);
  EXPECT_EQ(op(WithLiteral(Skeleton(Op::kPerr), 200)), Op::kReserved);
  EXPECT_EQ(op(WithLiteral(Skeleton(Op::kMinub8), 200)), Op::kMinub8);
  EXPECT_EQ(op(WithLiteral(Skeleton(Op::kImplver), 2)), Op::kReserved);
  EXPECT_EQ(op(WithRa(Skeleton(Op::kCvttq), 3)), Op::kReserved);
  EXPECT_EQ(op(WithRb(Skeleton(Op::kItofs), 3)), Op::kReserved);
  EXPECT_EQ(op(WithRb(Skeleton(Op::kFtoit), 3)), Op::kReserved);
  EXPECT_EQ(op(WithRa(Skeleton(Op::kMfFpcr), 3)), Op::kMfFpcr);
  EXPECT_EQ(op(Skeleton(Op::kMb) | 1), Op::kReserved);
  EXPECT_EQ(op(Skeleton(Op::kAddl) | 7u << 13), Op::kAddl);
}

TEST(Decode, ReservedWords) {
  for (uint32_t opcode = 0x01; opcode <= 0x07; ++opcode) {
    EXPECT_EQ(Decode(opcode << 26).op, Op::kReserved);
  }
  for (uint32_t type = 0; type < 8; ++type) {
    const bool load = type != 3;
    const bool store = type <= 2 || type == 6;
    EXPECT_EQ(Decode(Skeleton(Op::kHwLd) | type << 13).op, load ? Op::kHwLd : Op::kReserved);
    EXPECT_EQ(Decode(Skeleton(Op::kHwSt) | type << 13).op, store ? Op::kHwSt : Op::kReserved);
  }
  const Instruction i = Decode(0x04222FFF);
  EXPECT_EQ(i.op, Op::kReserved);
  EXPECT_EQ(i.word, 0x04222FFFu);
  EXPECT_FALSE(i.literal);
  EXPECT_EQ(i.immediate, 0);
}

TEST(Decode, RegistersReadAndWritten) {
  const auto word = [](Op op) { return WithRc(WithRb(WithRa(Skeleton(op), 1), 2), 3); };
  const auto r = [](int n) { return 1u << n; };
  EXPECT_EQ(IntegerReads(Decode(word(Op::kAddq))), r(1) | r(2));
  EXPECT_EQ(IntegerWrites(Decode(word(Op::kAddq))), r(3));
  EXPECT_EQ(IntegerReads(Decode(WithLiteral(word(Op::kAddq), 9))), r(1));
  EXPECT_EQ(IntegerReads(Decode(word(Op::kCmoveq))), r(1) | r(2) | r(3));
  EXPECT_EQ(IntegerReads(Decode(word(Op::kLdq))), r(2));
  EXPECT_EQ(IntegerWrites(Decode(word(Op::kLdq))), r(1));
  EXPECT_EQ(IntegerWrites(Decode(word(Op::kStq))), 0u);
  EXPECT_EQ(IntegerWrites(Decode(word(Op::kStqC))), r(1));
  EXPECT_EQ(IntegerWrites(Decode(word(Op::kHwSt))), 0u);
  EXPECT_EQ(IntegerWrites(Decode(word(Op::kHwSt) | 1u << 13)), r(1));
  EXPECT_EQ(FloatReads(Decode(word(Op::kStt))), r(1));
  EXPECT_EQ(IntegerReads(Decode(word(Op::kStt))), r(2));
  EXPECT_EQ(FloatReads(Decode(word(Op::kAddt))), r(1) | r(2));
  EXPECT_EQ(FloatWrites(Decode(word(Op::kAddt))), r(3));
  EXPECT_EQ(FloatReads(Decode(word(Op::kFcmovne))), r(1) | r(2) | r(3));
  EXPECT_EQ(IntegerReads(Decode(WithRa(Skeleton(Op::kItoft), 1))), r(1));
  EXPECT_EQ(IntegerReads(Decode(word(Op::kBsr))), 0u);
  // R31 is no register.
  EXPECT_EQ(IntegerWrites(Decode(WithRc(word(Op::kAddq), 31))), 0u);
  EXPECT_EQ(IntegerReads(Decode(0x04222FFF)), 0u);
}

}  // namespace
}  // namespace isochron::alpha
