#include "cli/run/replay_report.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_image.h"
#include "timeline/replayer.h"

namespace isochron::cli {
namespace {

using ::testing::HasSubstr;

std::string ReportAt(const ReplayDriver::Place& place) {
  return DivergenceReport("log", timeline::Divergence(), place, machine::KernelImage(),
                          600'000'000);
}

TEST(DivergenceReport, NamesACpuThatIsNotAlone) {
  EXPECT_THAT(ReportAt({1, 0x8001, 0, 2}), HasSubstr("  PC of CPU 0 0x0000000000008000 (PALmode)"));
  EXPECT_THAT(ReportAt({1, 0x8001, 1, 2}), HasSubstr("  PC of CPU 1 0x"));
  EXPECT_THAT(ReportAt({1, 0x8001, 0, 1}), HasSubstr("  PC 0x0000000000008000 (PALmode)"));
}

}  // namespace
}  // namespace isochron::cli
