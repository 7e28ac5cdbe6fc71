#include "conformance/compare/guest_code.h"

#include <fstream>
#include <iterator>
#include <string>

#include "alpha/cpu.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_image.h"

namespace isochron::conformance {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

machine::KernelImage Kernel(const std::string& name) {
  std::ifstream file(std::string(ISOCHRON_GUEST_DIR "/") + name, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  absl::StatusOr<machine::KernelImage> kernel = machine::ParseKernel(bytes);
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  return kernel.ok() ? *kernel : machine::KernelImage();
}

uint64_t AddressOf(const machine::KernelImage& kernel, const std::string& name) {
  for (const machine::Symbol& symbol : kernel.symbols) {
    if (symbol.name == name) return symbol.address;
  }
  ADD_FAILURE() << name;
  return 0;
}

#ifdef ISOCHRON_LIBDW
TEST(DescribePc, NamesFileAndLineWhereTheKernelHasDwarf) {
  const machine::KernelImage kernel = Kernel("keys-debug.elf");
  const alpha::Cpu cpu(0, 128, 128);
  EXPECT_THAT(DescribePc(cpu, AddressOf(kernel, "take_key"), kernel),
              MatchesRegex("0x[0-9a-f]+ \\(take_key\\+0x0, tutorial/keys\\.c:[0-9]+\\)"));
  // Assembly, too.
  EXPECT_THAT(DescribePc(cpu, kernel.entry, kernel), HasSubstr("start.S:"));
  EXPECT_THAT(DescribePc(cpu, 0xfffffc0000000000, kernel), Not(HasSubstr(":")));
}
#endif

TEST(DescribePc, HasTheSymbolAloneWithoutDwarf) {
  const machine::KernelImage kernel = Kernel("keys.elf");
  EXPECT_THAT(DescribePc(alpha::Cpu(0, 128, 128), AddressOf(kernel, "take_key"), kernel),
              MatchesRegex("0x[0-9a-f]+ \\(take_key\\+0x0\\)"));
}

// Sizes and contents of debug sections come from a file that nobody vouches for.
TEST(SourceLines, RefusesOrSurvivesWhatIsDamaged) {
  std::ifstream file(ISOCHRON_GUEST_DIR "/keys-debug.elf", std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const uint64_t address = AddressOf(Kernel("keys-debug.elf"), "take_key");
  for (size_t at = 0; at < whole.size(); at += 1 + whole.size() / 997) {
    std::string damaged = whole;
    for (size_t i = at; i < std::min(at + 16, whole.size()); ++i)
      damaged[i] = static_cast<char>(~damaged[i]);
    if (auto lines = machine::SourceLines::Of(damaged)) lines->Find(address);
    if (auto lines = machine::SourceLines::Of(whole.substr(0, at))) lines->Find(address);
  }
}

}  // namespace
}  // namespace isochron::conformance
