#include "alpha/instruction.h"

#include <string_view>

namespace isochron::alpha {
std::string_view ToString(Format format) {
  switch (format) {
    case Format::kMemory: return "Memory";
    case Format::kMisc: return "Misc";
    case Format::kBranch: return "Branch";
    case Format::kJump: return "Jump";
    case Format::kOperate: return "Operate";
    case Format::kFloatOperate: return "FloatOperate";
    case Format::kPal: return "Pal";
    case Format::kHwMemory: return "HwMemory";
    case Format::kHwMxpr: return "HwMxpr";
    case Format::kHwReturn: return "HwReturn";
  }
  return "";
}

std::string_view ToString(Extension extension) {
  switch (extension) {
    case Extension::kBase: return "base";
    case Extension::kBwx: return "BWX";
    case Extension::kFix: return "FIX";
    case Extension::kCix: return "CIX";
    case Extension::kMvi: return "MVI";
    case Extension::kFloat: return "float";
    case Extension::kVaxFloat: return "VAX float";
    case Extension::kIeeeFloat: return "IEEE float";
    case Extension::kPal: return "PAL";
  }
  return "";
}

std::string_view ToString(Op op) { return Info(op).name; }

}  // namespace isochron::alpha
