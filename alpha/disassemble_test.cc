#include "alpha/disassemble.h"

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "alpha/decode.h"
#include "alpha/encode.h"
#include "alpha/instruction.h"
#include "alpha/qualifiers.h"

namespace isochron::alpha {
namespace {

// One instruction line of objdump.
struct Line {
  uint64_t pc;
  uint32_t word;
  std::string text;
};

// "a:\tb0 b1 b2 b3 \ttext" to its parts; false for any other line.
bool Parse(const std::string& line, Line& out) {
  const size_t colon = line.find(":\t");
  if (colon == std::string::npos || line.size() < colon + 15) return false;
  std::array<unsigned, 4> bytes;
  if (std::sscanf(line.c_str() + colon + 2, "%2x %2x %2x %2x ", &bytes[0], &bytes[1], &bytes[2],
                  &bytes[3]) != 4) {
    return false;
  }
  out.pc = std::strtoull(line.c_str(), nullptr, 16);
  out.word = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24;
  out.text = line.substr(colon + 15);
  return true;
}

// objdump's text without the symbol after an address and with 0x before that address, which it
// leaves out where it prints a symbol.
std::string Normalize(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\t')) text.pop_back();
  const size_t symbol = text.find(" <");
  if (symbol != std::string::npos) {
    text.erase(symbol);
    text.insert(text.find_last_of("\t,") + 1, "0x");
  }
  return text;
}

// Runs objdump with `arguments` and compares every instruction it prints. Returns how many it saw.
int CompareWithObjdump(const std::string& arguments, Dialect dialect) {
  const std::string command = std::string(ISOCHRON_ALPHA_OBJDUMP) + " " + arguments;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  if (pipe == nullptr) {
    ADD_FAILURE() << "cannot run " << command;
    return 0;
  }
  int seen = 0;
  int wrong = 0;
  std::array<char, 1024> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe.get()) != nullptr && wrong < 20) {
    Line line;
    if (!Parse(buffer.data(), line)) continue;
    ++seen;
    const std::string expected = Normalize(line.text);
    const std::string actual = Disassemble(line.word, line.pc, dialect);
    if (actual == expected) continue;
    ++wrong;
    ADD_FAILURE() << std::hex << line.pc << ": " << line.word << " objdump: " << expected
                  << " here: " << actual;
  }
  return seen;
}

void CompareWords(const std::vector<uint32_t>& words, const std::string& name) {
  const std::string path =
      testing::TempDir() + "isochron_disassemble_" + name + "_" + std::to_string(getpid()) + ".bin";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(words.data()),
             static_cast<std::streamsize>(words.size() * sizeof(uint32_t)));
  const int count = static_cast<int>(words.size());
  EXPECT_EQ(CompareWithObjdump("-D -z -b binary -m alpha:ev6 " + path, Dialect::kEv6), count);
  EXPECT_EQ(CompareWithObjdump("-D -z -b binary -m alpha " + path, Dialect::kGeneric), count);
  std::remove(path.c_str());
}

TEST(Disassemble, AgreesWithObjdumpOnEveryRow) {
  constexpr std::array<uint32_t, 5> kRegisters = {0, 7, 26, 30, 31};
  constexpr std::array<uint32_t, 6> kDisplacements = {0, 1, 0x1FFF, 0x2000, 0x8000, 0xFFFF};
  std::vector<uint32_t> words;
  for (size_t row = 0; row < static_cast<size_t>(Op::kReserved); ++row) {
    const Op op = static_cast<Op>(row);
    for (const QualifierVariant& variant : VariantsOf(Info(op).qualifiers)) {
      const uint32_t base = Skeleton(op, variant);
      words.push_back(base);
      for (uint32_t ra : kRegisters) {
        for (uint32_t rb : kRegisters) {
          for (uint32_t low : kRegisters) {
            words.push_back(WithRc(WithRb(WithRa(base, ra), rb), low));
            words.push_back(WithRc(WithLiteral(WithRa(base, ra), rb), low));
            words.push_back(WithRc(WithRb(base, rb), low));
            words.push_back(WithRc(WithRa(base, ra), low));
          }
          for (uint32_t displacement : kDisplacements) {
            words.push_back(WithRb(WithRa(base, ra), rb) | displacement);
          }
        }
      }
    }
  }
  CompareWords(words, "rows");
}

TEST(Disassemble, AgreesWithObjdumpOnEveryCallPal) {
  std::vector<uint32_t> words;
  for (uint32_t function = 0; function < 0x200; ++function) words.push_back(function);
  words.push_back(0x03FFFFFF);
  CompareWords(words, "pal");
}

TEST(Disassemble, AgreesWithObjdumpOnRandomWords) {
  std::mt19937 random(1);
  std::vector<uint32_t> words(1'000'000);
  for (uint32_t& word : words) word = static_cast<uint32_t>(random());
  CompareWords(words, "random");
}

// A kernel or PALcode image given by whoever runs the test.
TEST(Disassemble, AgreesWithObjdumpOnGivenElf) {
  const char* path = std::getenv("ISOCHRON_TEST_ELF");
  if (path == nullptr) GTEST_SKIP() << "set ISOCHRON_TEST_ELF to an Alpha ELF file to compare it";
  EXPECT_GT(CompareWithObjdump(std::string("-d -z ") + path, Dialect::kGeneric), 0);
  EXPECT_GT(CompareWithObjdump(std::string("-d -z -m alpha:ev6 ") + path, Dialect::kEv6), 0);
}

TEST(Disassemble, Examples) {
  EXPECT_EQ(Disassemble(0x47FF041F, 0), "nop");
  EXPECT_EQ(Disassemble(0x2FFE0000, 0), "unop");
  EXPECT_EQ(Disassemble(0x6BFA8001, 0), "ret");
  EXPECT_EQ(Disassemble(0xC3FFFFFF, 0x1000), "br\t0x1000");
  EXPECT_EQ(Disassemble(0xC3E00000, 0xFFFFFC0000310000), "br\t0xfffffc0000310004");
  EXPECT_EQ(Disassemble(0x04000000, 0), ".long 0x4000000");
  EXPECT_EQ(Disassemble(0x6C220004, 0, Dialect::kEv6), "hw_ldl/p\tt0,4(t1)");
  EXPECT_EQ(Disassemble(0x6C220004, 0, Dialect::kGeneric), "pal1b\t0x220004");
}

// Listings go through what escapes control characters, and a tab is one.
TEST(Disassemble, AListingHasColumnsAndNoTabs) {
  EXPECT_EQ(ListedInstruction(0xfffffc0000311365, 0xa2090000),
            "fffffc0000311364  a2090000  ldl       a0,0(s0)");
  EXPECT_EQ(ListedInstruction(0x1000, 0x47ff041f), "0000000000001000  47ff041f  nop");
}

// The words on which chip and objdump differ: objdump does not know them.
TEST(Disassemble, SomeWordsAreExecutedButNotShown) {
  for (const Op op : {Op::kSextb, Op::kSextw}) {
    const uint32_t word = WithLiteral(Skeleton(op), 0x80);
    EXPECT_EQ(Decode(word).op, op);
    EXPECT_EQ(Disassemble(word, 0).substr(0, 5), ".long");
  }
  for (const Op op : {Op::kMfFpcr, Op::kMtFpcr}) {
    const uint32_t word = WithRa(Skeleton(op), 3);
    EXPECT_EQ(Decode(word).op, op);
    EXPECT_EQ(Disassemble(word, 0).substr(0, 5), ".long");
  }
}

TEST(Disassemble, CallPalNames) {
  EXPECT_EQ(CallPalName(0x83), "callsys");
  EXPECT_EQ(CallPalName(0x3E), "wtint");
  EXPECT_EQ(CallPalName(0x04), "");
}

}  // namespace
}  // namespace isochron::alpha
