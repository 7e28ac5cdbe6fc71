#include "debug/symbols.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_test_image.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::debug {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kText = 0xfffffc0000310000;
constexpr uint64_t kData = 0xfffffc0000320000;

machine::KernelImage Kernel() {
  return *machine::ParseKernel(machine::ElfTestImage()
                                   .Entry(kText)
                                   .Load(kText, std::string(0x100, 't'), 0x100)
                                   .Load(kData, "data", 0x100)
                                   .Name("start", kText, 0x20)
                                   .Name("call_me", kText + 0x20, 0x20, STT_FUNC, 0x88)
                                   .Name("init", kText + 0x40, 0x10)
                                   .Name("init", kText + 0x50, 0x10)
                                   .Name("reset", kText + 0x60, 0x10)
                                   .Name("odd+4", kText + 0x70, 0x10)
                                   .Name("bad\x1b", kText + 0x80, 0x10)
                                   .Name("table", kData, 16, STT_OBJECT)
                                   .Build());
}

class SymbolsTest : public ::testing::Test {
 protected:
  uint64_t Pc(std::string_view text) {
    const absl::StatusOr<NamedPlace> place = symbols_.Find(text, /*code=*/true);
    EXPECT_TRUE(place.ok()) << place.status();
    return place.ok() ? place->pc() : 0;
  }
  std::string Error(std::string_view text, absl::StatusCode code, bool is_code = true) {
    const absl::StatusOr<NamedPlace> place = symbols_.Find(text, is_code);
    EXPECT_EQ(place.status().code(), code) << text;
    return std::string(place.status().message());
  }

  machine::KernelImage kernel_ = Kernel();
  Symbols symbols_{kernel_};
};

TEST_F(SymbolsTest, NamesAddresses) {
  EXPECT_EQ(symbols_.Name(kText), "start");
  EXPECT_EQ(symbols_.Name(kText + 0x24), "call_me+0x4");
  EXPECT_EQ(symbols_.Describe(kText + 0x24), "call_me+0x4");
  EXPECT_EQ(symbols_.DataName(kData + 3), "table+0x3");
  EXPECT_EQ(symbols_.Name(kData + 16), "");
  EXPECT_EQ(symbols_.Line(kText), "");
  EXPECT_EQ(symbols_.Name(kText + 0x80), "bad\\x1b");
}

TEST_F(SymbolsTest, FindsAddressesOfNames) {
  EXPECT_EQ(Pc("start"), kText);
  EXPECT_EQ(Pc("start+8"), kText + 8);
  EXPECT_EQ(Pc("start+0x10"), kText + 0x10);
  EXPECT_EQ(Pc("odd+4"), kText + 0x70);
  EXPECT_EQ(Pc("odd+4+4"), kText + 0x74);
  EXPECT_EQ(Pc("0xfffffc0000310004"), kText + 4);
  EXPECT_EQ(Pc("33537"), 0x8301u);
  const NamedPlace function = *symbols_.Find("call_me", true);
  EXPECT_EQ(function.size, 0x20u);
  EXPECT_EQ(function.local_entry, 8u);
  EXPECT_EQ(symbols_.Find("call_me+4", true)->local_entry, 0u);
  EXPECT_EQ(symbols_.Find("table+12", false)->size, 4u);
  EXPECT_EQ(symbols_.Find("table+16", false)->size, 0u);
  EXPECT_EQ(symbols_.Find("table+3", false)->address, kData + 3);
}

TEST_F(SymbolsTest, ListsCandidates) {
  EXPECT_EQ(Error("init", absl::StatusCode::kInvalidArgument),
            "'init' is the name of several places: 0xfffffc0000310040, 0xfffffc0000310050");
  EXPECT_THAT(Error("CALL", absl::StatusCode::kNotFound),
              HasSubstr("there is no symbol 'CALL'; there are call_me"));
  EXPECT_EQ(Error("nowhere", absl::StatusCode::kNotFound), "there is no symbol 'nowhere'");
  EXPECT_EQ(Error("start+x", absl::StatusCode::kNotFound), "there is no symbol 'start+x'");
  EXPECT_EQ(Error("", absl::StatusCode::kNotFound), "there is no symbol ''");
  EXPECT_THAT(Error("callpal_", absl::StatusCode::kNotFound), HasSubstr(" more"));
}

TEST_F(SymbolsTest, RefusesWhatIsNoAddress) {
  EXPECT_EQ(Error("0x1g", absl::StatusCode::kInvalidArgument),
            "'0x1g' is not a number from 0 to 2^64-1");
  EXPECT_EQ(Error("0x1002", absl::StatusCode::kInvalidArgument), "'0x1002' is no address of code");
  EXPECT_EQ(Error("start+2", absl::StatusCode::kInvalidArgument),
            "'start+2' is no address of code");
}

TEST_F(SymbolsTest, KnowsPalcode) {
  EXPECT_EQ(Pc("pal.dtbm_single"), FW_PAL_BASE + 0x301u);
  EXPECT_EQ(Pc("dtbm_single"), FW_PAL_BASE + 0x301u);
  EXPECT_EQ(Pc("callpal_swpctx"), FW_PAL_BASE + 0x2000u + 0x30 * 64 + 1);
  EXPECT_EQ(Pc("pal.callpal_callsys"), FW_PAL_BASE + 0x30c1u);
  EXPECT_EQ(symbols_.Name(FW_PAL_BASE + 0x305), "pal.dtbm_single+0x4");
  EXPECT_EQ(symbols_.Name(FW_PAL_BASE + 0x30c5), "pal.callpal_callsys+0x4");
  EXPECT_EQ(symbols_.Name(Pc("take_interrupt") + 0x18), "pal.take_interrupt+0x18");
  // The kernel's own goes before; in native mode nothing is PALcode.
  EXPECT_EQ(Pc("reset"), kText + 0x60);
  EXPECT_EQ(Pc("pal.reset"), FW_PAL_BASE + 0x781u);
  EXPECT_EQ(symbols_.Name(FW_PAL_BASE + 0x304), "");
}

TEST_F(SymbolsTest, TakesFilesWhereTheyWereLoaded) {
  const std::string program = machine::ElfTestImage()
                                  .Load(0x1000, "text", 4)
                                  .Name("main", 0x1000, 0x40)
                                  .Name("start", 0x1040, 0)
                                  .Build();
  ASSERT_TRUE(symbols_.AddFile(program, 0x120000000).ok());
  EXPECT_EQ(Pc("main+4"), 0x120001004u);
  EXPECT_EQ(symbols_.Name(0x120001004), "main+0x4");
  EXPECT_EQ(symbols_.Name(kText), "start");
  EXPECT_EQ(Error("start", absl::StatusCode::kInvalidArgument),
            "'start' is the name of several places: 0x120001040, 0xfffffc0000310000");
  EXPECT_EQ(symbols_.AddFile("#!/bin/sh", 0).message(), "not an ELF file");
  EXPECT_EQ(symbols_.AddFile(machine::ElfTestImage().Load(0, "x", 1).Build(), 0).message(),
            "the file has no symbols");
}

}  // namespace
}  // namespace isochron::debug
