#include "conformance/sequences/sequence_operands.h"

#include <vector>

#include "alpha/encode.h"
#include "alpha/qualifiers.h"

namespace isochron::conformance {
namespace {

using alpha::Format;
using alpha::Op;
using alpha::Shape;
using Registers = SequenceRegisters;

// clang-format off
constexpr uint64_t kIntegers[] = {
    0, 1, 2, 7, 8, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x1'0000,
    0x7fff'fffe, 0x7fff'ffff, 0x8000'0000, 0x8000'0001, 0xffff'ffff, 0x1'0000'0000,
    0x7fff'ffff'ffff'fffe, 0x7fff'ffff'ffff'ffff, 0x8000'0000'0000'0000, 0x8000'0000'0000'0001,
    0xffff'ffff'ffff'ffff, 0xffff'ffff'ffff'fffe, 0xffff'ffff'8000'0000, 0xffff'ffff'7fff'ffff,
    0x0123'4567'89ab'cdef, 0xfedc'ba98'7654'3210, 0x5555'5555'5555'5555, 0xaaaa'aaaa'aaaa'aaaa,
    0x0080'0080'0080'0080, 0x7f80'7f80'ff00'00ff, 0xb504'f333, 0x1'6a09'e667,
};

constexpr uint64_t kFloats[] = {
    0, 0x8000'0000'0000'0000,                          // zeros; VAX reserved operand
    0x3ff0'0000'0000'0000, 0xbff0'0000'0000'0000,      // 1, -1
    0x4000'0000'0000'0000, 0x4008'0000'0000'0000,      // 2, 3
    0x3ff0'0000'1000'0000, 0x3ff0'0000'3000'0000,      // halfway between singles
    0x3ff0'0000'1000'0001, 0x3ff0'0000'0fff'ffff,
    0x3ff0'0000'0000'0001, 0x3fef'ffff'ffff'ffff,
    0x3cb0'0000'0000'0000, 0x3ca0'0000'0000'0000,      // 2^-52, 2^-53
    0x0000'0000'0000'0001, 0x800f'ffff'ffff'ffff,      // denormals
    0x0010'0000'0000'0000, 0x0010'0000'0000'0001,      // smallest normals; dirty zeros nearby
    0x8008'0000'0000'0000, 0x0018'0000'0000'0000,
    0x3810'0000'0000'0000, 0x380f'ffff'e000'0000,      // the smallest single, and below
    0x3690'0000'0000'0000, 0x3800'0000'0000'0000,
    0x47ef'ffff'e000'0000, 0x47ef'ffff'f000'0000,      // the largest single, and halfway past
    0x47f0'0000'0000'0000, 0x7fef'ffff'ffff'ffff,      // the largest T
    0x7fe0'0000'0000'0000, 0x1ff0'0000'0000'0000, 0x2000'0000'0000'0000,
    0x5fe0'0000'0000'0000, 0x6000'0000'0000'0000,
    0x7ff0'0000'0000'0000, 0xfff0'0000'0000'0000,      // infinities
    0x7ff8'0000'0000'0000, 0xfff8'0000'0000'0000,      // quiet NaNs
    0x7ff8'1234'5678'9abc, 0xfffc'0000'2000'0000,
    0x7ff0'0000'0000'0001, 0xfff4'dead'beef'0000,      // signaling NaNs
    0x43e0'0000'0000'0000, 0xc3e0'0000'0000'0000,      // 2^63, -2^63
    0x43df'ffff'ffff'ffff, 0xc3e0'0000'0000'0001,
    0x41df'ffff'ffc0'0000, 0xc1e0'0000'0020'0000,      // about 2^31
    0x3fe0'0000'0000'0000, 0x3ff8'0000'0000'0000,      // 0.5, 1.5
    0x4004'0000'0000'0000, 0x4330'0000'0000'0001, 0x43f0'0000'0000'0000,
    0x7fff'ffff'ffff'ffff, 0x0000'0000'7fff'ffff, 0xffff'ffff'ffff'ffff, 0x0123'4567'89ab'cdef,
};
// clang-format on

}  // namespace

std::span<const uint64_t> HardIntegers() { return kIntegers; }
std::span<const uint64_t> HardFloats() { return kFloats; }

uint64_t RandomInteger(Random& random) {
  switch (random() % 4) {
    case 0: return random();
    case 1: {
      const uint64_t near = kIntegers[random() % std::size(kIntegers)];
      return near + random() % 5 - 2;
    }
    default: return kIntegers[random() % std::size(kIntegers)];
  }
}

uint64_t RandomFloat(Random& random) {
  switch (random() % 6) {
    case 0: return random();
    // A number near 1, so that sums cancel and products stay in range; S half of the time.
    case 1: {
      const uint64_t fraction = random() & 0x800f'ffff'ffff'ffff;
      const uint64_t beyond_single = random() % 2 * 0x1fff'ffff;
      return (fraction & ~beyond_single) | (0x3f8 + random() % 16) << 52;
    }
    case 2: {
      const uint64_t near = kFloats[random() % std::size(kFloats)];
      return near ^ (random() & 3);
    }
    default: return kFloats[random() % std::size(kFloats)];
  }
}

uint32_t RandomTarget(Random& random) {
  constexpr uint32_t kTargets[] = {0,  1,  2,  3,  4,  5,  6,  7,  16, 17, 18,
                                   19, 20, 21, 22, 23, 24, 25, 27, 0,  1,  31};
  return kTargets[random() % std::size(kTargets)];
}

uint32_t RandomSource(Random& random) {
  return random() % 3 == 0 ? static_cast<uint32_t>(random() % 32) : RandomTarget(random);
}

uint32_t RandomInstruction(Random& random, Op op) {
  const alpha::InstructionInfo& info = alpha::Info(op);
  const auto variants = alpha::VariantsOf(info.qualifiers);
  uint32_t word = alpha::Skeleton(op, variants[random() % variants.size()]);
  const alpha::OperandRoles roles = alpha::RolesOf(info.shape);
  const auto reg = [&](alpha::RegisterRole role, uint32_t fixed) -> uint32_t {
    using enum alpha::RegisterRole;
    switch (role) {
      case kNone: return fixed;
      case kIntegerRead: return RandomSource(random);
      case kIntegerWrite:
      case kIntegerReadWrite: return RandomTarget(random);
      // Few registers, so that results become operands; F31 now and then.
      case kFloatRead:
      case kFloatWrite:
      case kFloatReadWrite: return random() % 24 == 0 ? 31 : static_cast<uint32_t>(random() % 20);
    }
    return 31;
  };
  word = alpha::WithRa(word, reg(roles.ra, word >> 21 & 31));
  if (info.format == Format::kBranch) {
    return word | static_cast<uint32_t>(random() % 4);
  }
  word = alpha::WithRb(word, reg(roles.rb, word >> 16 & 31));
  switch (info.format) {
    case Format::kMemory:
      if (info.shape == Shape::kAddress) return word | static_cast<uint32_t>(random() & 0xffff);
      {
        // At an edge of a page within 16 bytes, or anywhere in reach of the data pointer.
        const bool edge = random() % 3 == 0;
        uint32_t displacement = edge ? static_cast<uint32_t>(random() % 32 - 16)
                                     : static_cast<uint32_t>(random() % 0x8000 - 0x4000);
        if (random() % 16 != 0) displacement &= ~7u;
        return alpha::WithRb(word, edge ? Registers::kEdge : Registers::kData) |
               (displacement & 0xffff);
      }
    case Format::kOperate:
      word = alpha::WithRc(word, reg(roles.rc, word & 31));
      if (roles.literal && random() % 2 == 0) {
        word = alpha::WithLiteral(word, static_cast<uint32_t>(random() & 255));
      }
      return word;
    case Format::kFloatOperate: return alpha::WithRc(word, reg(roles.rc, word & 31));
    case Format::kJump: return alpha::WithRb(word, Registers::kScratch);
    default: return word;
  }
}

Op RandomStraightOp(Random& random) {
  // Classes get equal shares, so that the many floating-point rows do not drown the rest.
  static const auto* const kClasses = [] {
    auto* classes = new std::vector<std::vector<Op>>(7);
    for (size_t i = 0; i < alpha::kOpCount - 1; ++i) {
      const Op op = static_cast<Op>(i);
      const alpha::InstructionInfo& info = alpha::Info(op);
      switch (info.format) {
        case Format::kBranch:
        case Format::kJump:
        case Format::kPal:
        case Format::kHwMemory:
        case Format::kHwMxpr:
        case Format::kHwReturn: continue;
        case Format::kMemory: (*classes)[0].push_back(op); break;
        case Format::kMisc: (*classes)[1].push_back(op); break;
        case Format::kOperate:
          (*classes)[info.extension == alpha::Extension::kBase ? 2 : 3].push_back(op);
          break;
        case Format::kFloatOperate:
          (*classes)[info.extension == alpha::Extension::kIeeeFloat  ? 4
                     : info.extension == alpha::Extension::kVaxFloat ? 5
                                                                     : 6]
              .push_back(op);
          break;
      }
    }
    return classes;
  }();
  // Memory 0, misc 1, integer 2, BWX and media 3, IEEE 4, VAX 5, other floating point 6.
  constexpr uint8_t kShares[] = {0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 4, 5, 6, 6, 1, 2};
  const std::vector<Op>& members = (*kClasses)[kShares[random() % std::size(kShares)]];
  return members[random() % members.size()];
}

}  // namespace isochron::conformance
