#include "machine/firmware/elf_image.h"

#include <elf.h>

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/elf_test_image.h"

namespace isochron::machine {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr uint64_t kText = 0xfffffc0000310000;
constexpr uint64_t kData = 0xfffffc0000320000;

ElfTestImage Sound() {
  return ElfTestImage()
      .Entry(kText + 4)
      .Load(kData, "data", 0x100)
      .Load(kText, std::string(64, 't'), 64)
      .Name("late", kText + 32, 0, STT_NOTYPE)
      .Name("_start", kText, 32)
      .Name("_text", kText, 0, STT_NOTYPE)
      .Name("kernel.c", 0, 0, STT_FILE)
      .Name("table", kData, 8, STT_OBJECT);
}

std::string ErrorOf(const ElfTestImage& image) {
  const absl::StatusOr<KernelImage> kernel = ParseKernel(image.Build());
  EXPECT_FALSE(kernel.ok());
  EXPECT_EQ(kernel.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(kernel.status().message().find('\n'), absl::string_view::npos);
  return std::string(kernel.status().message());
}

TEST(ParseKernelTest, ReadsSegmentsEntryAndSymbols) {
  const absl::StatusOr<KernelImage> kernel = ParseKernel(Sound().Build());
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(kernel->entry, kText + 4);
  ASSERT_EQ(kernel->segments.size(), 2u);
  EXPECT_EQ(kernel->segments[0].address, kText);
  EXPECT_EQ(kernel->segments[0].physical(), 0x310000u);
  EXPECT_EQ(kernel->segments[0].contents, std::string(64, 't'));
  EXPECT_EQ(kernel->segments[1].contents, "data");
  EXPECT_EQ(kernel->segments[1].memory_bytes, 0x100u);
  EXPECT_THAT(kernel->symbols,
              ElementsAre(Field(&Symbol::name, "_text"), Field(&Symbol::name, "_start"),
                          Field(&Symbol::name, "late"), Field(&Symbol::name, "table")));
}

TEST(ParseKernelTest, FindsTheSymbolOfAnAddress) {
  const absl::StatusOr<KernelImage> kernel = ParseKernel(Sound().Build());
  ASSERT_TRUE(kernel.ok());
  EXPECT_EQ(kernel->FindSymbol(kText - 4), nullptr);
  EXPECT_EQ(kernel->FindSymbol(kText)->name, "_start");
  EXPECT_EQ(kernel->FindSymbol(kText + 31)->name, "_start");
  EXPECT_EQ(kernel->FindSymbol(kText + 0x1000)->name, "late");
  EXPECT_EQ(kernel->FindSymbol(kData + 7)->name, "table");
  EXPECT_EQ(kernel->FindSymbol(kData + 8), nullptr);
}

TEST(ParseKernelTest, LeavesOutNamesOfWhatIsNotLoaded) {
  ElfTestImage image = Sound();
  image.names.push_back({".debug", 0x10, 0, STT_NOTYPE, 0, /*in_memory=*/false});
  const absl::StatusOr<KernelImage> kernel = ParseKernel(image.Build());
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ(kernel->FindSymbol(0x120000000), nullptr);
}

TEST(ParseKernelTest, AcceptsAnImageWithoutSymbols) {
  ElfTestImage image = Sound();
  image.names.clear();
  const absl::StatusOr<KernelImage> kernel = ParseKernel(image.Build());
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_TRUE(kernel->symbols.empty());
  EXPECT_EQ(kernel->FindSymbol(kText), nullptr);
}

TEST(ParseKernelTest, RejectsWhatIsNoElfFile) {
  for (const char* text : {"", "MZ",
                           "\x7f"
                           "EL",
                           "#!/bin/sh\n"}) {
    EXPECT_EQ(ParseKernel(text).status().message(), "not an ELF file");
  }
}

TEST(ParseKernelTest, RejectsOtherMachinesAndClasses) {
  ElfTestImage image = Sound();
  image.header.e_machine = EM_X86_64;
  EXPECT_THAT(ErrorOf(image), HasSubstr("machine 0x3e"));
  image = Sound();
  image.header.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(ErrorOf(image), HasSubstr("64-bit"));
  image = Sound();
  image.header.e_ident[EI_DATA] = ELFDATA2MSB;
  EXPECT_THAT(ErrorOf(image), HasSubstr("little-endian"));
  image = Sound();
  image.header.e_type = ET_REL;
  EXPECT_THAT(ErrorOf(image), HasSubstr("no executable"));
  image = Sound();
  image.header.e_phentsize = 32;
  EXPECT_THAT(ErrorOf(image), HasSubstr("program headers of 32 bytes"));
}

TEST(ParseKernelTest, RejectsBadSegments) {
  EXPECT_THAT(ErrorOf(ElfTestImage().Entry(kText)), HasSubstr("without program headers"));
  EXPECT_THAT(ErrorOf(ElfTestImage().Entry(kText).Load(kText, "", 0)),
              HasSubstr("without a segment to load"));
  EXPECT_THAT(ErrorOf(Sound().Load(kText + 60, "", 8)), HasSubstr("overlap"));
  EXPECT_THAT(ErrorOf(Sound().Load(kText - 8, "", 9)), HasSubstr("overlap"));
  EXPECT_THAT(ErrorOf(Sound().Load(0x20000000, "", 9)), HasSubstr("not in KSEG"));
  EXPECT_THAT(ErrorOf(Sound().Load(0xfffffdfffffffff8, "", 9)), HasSubstr("not in KSEG"));
  EXPECT_THAT(ErrorOf(Sound().Load(0xfffffc0000400000, "", UINT64_MAX)), HasSubstr("not in KSEG"));
  EXPECT_THAT(ErrorOf(Sound().Load(0xfffffc0000400000, "12345678", 7)),
              HasSubstr("larger in the file"));
}

TEST(ParseKernelTest, RejectsAnEntryPointOutsideTheImage) {
  EXPECT_THAT(ErrorOf(Sound().Entry(kText + 64)), HasSubstr("entry point"));
  EXPECT_THAT(ErrorOf(Sound().Entry(kText + 2)), HasSubstr("entry point"));
  // In .bss there is no instruction.
  EXPECT_THAT(ErrorOf(Sound().Entry(kData + 16)), HasSubstr("entry point"));
}

TEST(ParseKernelTest, RejectsSegmentsThatShareTheFilesBytes) {
  std::string bytes = ElfTestImage()
                          .Entry(kText)
                          .Load(kText, std::string(4096, 'x'), 4096)
                          .Load(kData, std::string(8, 'x'), 4096)
                          .Build();
  Elf64_Phdr second;
  const size_t at = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  bytes.copy(reinterpret_cast<char*>(&second), sizeof(second), at);
  second.p_offset = 0;
  second.p_filesz = 4096;
  bytes.replace(at, sizeof(second), reinterpret_cast<char*>(&second), sizeof(second));
  EXPECT_EQ(ParseKernel(bytes).status().message(), "segments share bytes of the ELF file");
}

TEST(ParseKernelTest, RejectsEveryTruncation) {
  const std::string bytes = Sound().Build();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseKernel(bytes.substr(0, size)).ok()) << size << " of " << bytes.size();
  }
}

TEST(ParseKernelTest, CutsLongNames) {
  const absl::StatusOr<KernelImage> kernel =
      ParseKernel(Sound().Name(std::string(5000, 'n'), kData + 16, 4).Build());
  ASSERT_TRUE(kernel.ok());
  EXPECT_EQ(kernel->symbols.back().name, std::string(255, 'n'));
}

TEST(ParseElfSymbolsTest, ReadsProgramsLinkedAnywhere) {
  ElfTestImage image = ElfTestImage()
                           .Load(0x120000000, "text", 4)
                           .Name("main", 0x120000100, 0x40, STT_FUNC, 0x88)
                           .Name("leaf", 0x120000140, 8, STT_FUNC, 0x80);
  for (const int type : {ET_EXEC, ET_DYN}) {
    image.header.e_type = static_cast<uint16_t>(type);
    for (const uint32_t table : {SHT_SYMTAB, SHT_DYNSYM}) {
      image.symbol_table = table;
      const absl::StatusOr<ElfSymbols> symbols = ParseElfSymbols(image.Build());
      ASSERT_TRUE(symbols.ok()) << symbols.status();
      ASSERT_EQ(symbols->symbols.size(), 2u);
      EXPECT_EQ(FindSymbol(symbols->symbols, 0x120000104)->name, "main");
      EXPECT_EQ(symbols->symbols[0].local_entry, 8u);
      EXPECT_EQ(symbols->symbols[1].local_entry, 0u);
      EXPECT_EQ(symbols->lines, nullptr);
    }
  }
}

TEST(ParseElfSymbolsTest, RejectsWhatIsNotLinked) {
  ElfTestImage image = Sound();
  image.header.e_type = ET_REL;
  EXPECT_THAT(std::string(ParseElfSymbols(image.Build()).status().message()),
              HasSubstr("not a linked program"));
  EXPECT_EQ(ParseElfSymbols("#!/bin/sh").status().message(), "not an ELF file");
}

// Whatever the bytes, the parser answers; what it accepts keeps the promises of KernelImage.
TEST(ParseKernelTest, SurvivesMutation) {
  const std::string sound = Sound().Build();
  std::mt19937_64 random(1);
  int accepted = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = sound;
    for (uint64_t count = 1 + random() % 4; count > 0; --count) {
      const uint64_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0: bytes[at] = static_cast<char>(random()); break;
        case 1: bytes[at] = static_cast<char>(0xff); break;
        default: bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
      }
    }
    const absl::StatusOr<KernelImage> kernel = ParseKernel(bytes);
    if (!kernel.ok()) continue;
    ++accepted;
    uint64_t end = kKsegBase;
    bool has_entry = false;
    for (const KernelSegment& segment : kernel->segments) {
      ASSERT_GE(segment.address, end);
      ASSERT_LE(segment.contents.size(), segment.memory_bytes);
      end = segment.address + segment.memory_bytes;
      ASSERT_LE(end, kKsegBase + kKsegSize);
      has_entry |= kernel->entry - segment.address < segment.memory_bytes;
    }
    ASSERT_TRUE(has_entry);
    kernel->FindSymbol(random());
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace isochron::machine
