#include "machine/firmware/hwrpb.h"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Reads the block by the offsets of the architecture, not through our structs.
class Reader {
 public:
  explicit Reader(const HwrpbOptions& options) : bytes_(BuildHwrpb(options)) {}

  uint64_t operator[](uint64_t offset) const {
    uint64_t value;
    EXPECT_LE(offset + 8, bytes_.size());
    std::memcpy(&value, bytes_.data() + offset, sizeof(value));
    return value;
  }
  std::string Text(uint64_t offset) const {
    return reinterpret_cast<const char*>(bytes_.data()) + offset;
  }
  uint64_t Sum(uint64_t begin, uint64_t end) const {
    uint64_t sum = 0;
    for (; begin < end; begin += 8) sum += (*this)[begin];
    return sum;
  }
  uint64_t size() const { return bytes_.size(); }

 private:
  std::vector<uint8_t> bytes_;
};

constexpr uint64_t kMemory = uint64_t{256} << 20;

TEST(HwrpbTest, HeaderIsWhatAClipperHas) {
  const Reader hwrpb({.memory_bytes = kMemory, .clock_hz = 600'000'000, .cpu_count = 1});
  EXPECT_LE(hwrpb.size(), uint64_t{FW_HWRPB_SIZE});
  EXPECT_EQ(hwrpb[0x00], uint64_t{FW_HWRPB_PA});
  EXPECT_EQ(hwrpb.Text(0x08), "HWRPB");
  EXPECT_EQ(hwrpb[0x08] >> 40, 0u);
  EXPECT_GE(hwrpb[0x10], 5u);
  EXPECT_EQ(hwrpb[0x18], hwrpb.size());
  EXPECT_EQ(hwrpb[0x20], 0u);
  EXPECT_EQ(hwrpb[0x28], 8192u);
  EXPECT_EQ(hwrpb[0x30], 44u);
  EXPECT_EQ(hwrpb[0x38], 255u);
  EXPECT_THAT(hwrpb.Text(0x40), Not(HasSubstr("QEMU")));
  EXPECT_THAT(hwrpb.Text(0x40), Not(HasSubstr("MILO")));
  EXPECT_EQ(hwrpb[0x50], 34u);
  EXPECT_EQ(hwrpb[0x58] >> 10 & 0x3f, 5u);
  EXPECT_EQ(hwrpb[0x68], 1024u * 4096);
  EXPECT_EQ(hwrpb[0x70], 600'000'000u);
  EXPECT_EQ(hwrpb[0x78], uint64_t{FW_VPTB_VA});
  EXPECT_EQ(hwrpb.Sum(0, 0x120), hwrpb[0x120]);
}

TEST(HwrpbTest, SlotsDescribeEv67s) {
  const Reader hwrpb({.memory_bytes = kMemory, .clock_hz = 600'000'000, .cpu_count = 3});
  EXPECT_EQ(hwrpb[0x90], 3u);
  const uint64_t size = hwrpb[0x98];
  EXPECT_EQ(size % 128, 0u);
  for (uint64_t cpu = 0; cpu < 3; ++cpu) {
    const uint64_t slot = hwrpb[0xa0] + cpu * size;
    EXPECT_EQ(slot % 128, 0u);
    EXPECT_EQ(hwrpb[slot], 0xfffffc0000048000 + (cpu + 1) * FW_STACK_SIZE);
    EXPECT_EQ(hwrpb[slot + 0x80], 0x1ccu);
    EXPECT_EQ(hwrpb[slot + 0x98], uint64_t{FW_PAL_BASE});
    EXPECT_EQ(hwrpb[slot + 0xa0], FW_IMPURE_BASE + cpu * FW_IMPURE_SIZE);
    EXPECT_EQ(hwrpb[slot + 0xa8] >> 16 & 0xff, 2u);     // OSF/1
    EXPECT_GT(hwrpb[slot + 0xd8], hwrpb[slot + 0xa0]);  // logout frame in the scratch area
    EXPECT_LE(hwrpb[slot + 0xd8] + hwrpb[slot + 0xe0], hwrpb[slot + 0xa0] + FW_IMPURE_SIZE);
    EXPECT_EQ(hwrpb[slot + 0x1d0 + 2 * 8], hwrpb[slot + 0xa8]);
    EXPECT_EQ(hwrpb[slot + 0xb0] & 0xffffffff, 11u);
    EXPECT_EQ(hwrpb.Text(slot + 0xc8), "CPU-" + std::to_string(cpu));
  }
  // No fourth CPU: nothing of it is marked present.
  EXPECT_EQ(hwrpb[hwrpb[0xa0] + 3 * size + 0x80], 0u);
}

TEST(HwrpbTest, CallbackBlockMapsBlockAndConsole) {
  const Reader hwrpb({.memory_bytes = kMemory, .clock_hz = 600'000'000});
  const uint64_t crb = hwrpb[0xc0];
  EXPECT_EQ(hwrpb[crb + 0x20], 1u);
  const uint64_t va = hwrpb[crb + 0x30];
  const uint64_t pa = hwrpb[crb + 0x38];
  const uint64_t pages = hwrpb[crb + 0x40];
  EXPECT_EQ(va, uint64_t{FW_HWRPB_VA});
  EXPECT_EQ(pa, uint64_t{FW_HWRPB_PA});
  EXPECT_EQ(pages, hwrpb[crb + 0x28]);
  for (const uint64_t routine : {crb, crb + 0x10}) {
    EXPECT_EQ(hwrpb[routine] - va, hwrpb[routine + 8] - pa);
    EXPECT_LT(hwrpb[routine] - va, pages * 8192);
    EXPECT_GE(hwrpb[routine + 8], uint64_t{FW_CONSOLE_PA});
  }
}

TEST(HwrpbTest, MemoryTableGivesFirmwareToTheConsole) {
  const Reader hwrpb({.memory_bytes = kMemory, .clock_hz = 600'000'000});
  const uint64_t table = hwrpb[0xc8];
  ASSERT_EQ(hwrpb[table + 0x10], 2u);
  const uint64_t first = table + 0x18;
  const uint64_t second = first + 0x38;
  EXPECT_EQ(hwrpb.Sum(table + 8, second + 0x38), hwrpb[table]);
  EXPECT_EQ(hwrpb[first], 0u);
  EXPECT_EQ(hwrpb[first + 8] * 8192, uint64_t{FW_END});
  EXPECT_EQ(hwrpb[first + 0x30], 1u);
  EXPECT_EQ(hwrpb[second], hwrpb[first + 8]);
  EXPECT_EQ((hwrpb[second] + hwrpb[second + 8]) * 8192, kMemory);
  EXPECT_EQ(hwrpb[second + 0x10], hwrpb[second + 8]);
  EXPECT_EQ(hwrpb[second + 0x30], 0u);
}

TEST(HwrpbTest, TerminalIsASerialLine) {
  const Reader hwrpb({.memory_bytes = kMemory, .clock_hz = 600'000'000});
  const uint64_t terminal = hwrpb[0xb8];
  EXPECT_EQ(hwrpb[0xa8], 1u);
  EXPECT_EQ(hwrpb[terminal], 4u);
  EXPECT_EQ(hwrpb[terminal + 56], 2u);
}

TEST(HwrpbTest, RecognitionBlockNamesThePlatform) {
  const Reader hwrpb({.memory_bytes = kMemory, .clock_hz = 600'000'000});
  const uint64_t block = hwrpb[0x138];
  const uint64_t name = block + hwrpb[block + 16];
  EXPECT_THAT(hwrpb.Text(name + 8), HasSubstr("Isochron"));
  EXPECT_EQ(hwrpb[name], hwrpb.Text(name + 8).size());
  EXPECT_LT(block + hwrpb[block + 8], hwrpb.size());
}

// Walks the page tables as the architecture does; nullopt where a PTE is not valid.
std::optional<uint64_t> Translate(uint64_t va) {
  const std::vector<uint8_t> tables = BuildPageTables();
  uint64_t table = FW_PAGE_TABLES_PA;
  for (int shift : {33, 23, 13}) {
    const uint64_t offset = table - FW_PAGE_TABLES_PA + (va >> shift & 0x3ff) * 8;
    if (offset + 8 > tables.size()) return std::nullopt;
    uint64_t pte;
    std::memcpy(&pte, tables.data() + offset, sizeof(pte));
    if ((pte & 1) == 0) return std::nullopt;
    EXPECT_EQ(pte & 0x1100, 0x1100u);  // kernel may read and write
    EXPECT_EQ(pte & 0x220e, 0u);       // no user access, no fault on read, write or execute
    table = pte >> 32 << 13;
  }
  return table | (va & 0x1fff);
}

TEST(PageTablesTest, MapTheHwrpbAndTheConsole) {
  EXPECT_EQ(Translate(FW_HWRPB_VA), uint64_t{FW_HWRPB_PA});
  EXPECT_EQ(Translate(FW_HWRPB_VA + 0x8010), FW_CONSOLE_PA + 0x10);
  EXPECT_EQ(Translate(FW_HWRPB_VA + 0xffff), uint64_t{0x2ffff});
  EXPECT_EQ(Translate(FW_HWRPB_VA + 0x10000), std::nullopt);
  EXPECT_EQ(Translate(FW_HWRPB_VA - 1), std::nullopt);
  EXPECT_EQ(Translate(0), std::nullopt);
}

// NetBSD's prom.c has its buffers at 0x20000000, prom_disp.s its stack below 0x20001ff8; boot
// programs for SRM use 256 KiB from there.
TEST(PageTablesTest, MapTheMemoryOfABootProgram) {
  EXPECT_EQ(Translate(0x20000000), uint64_t{FW_BOOTSTRAP_PA});
  EXPECT_EQ(Translate(0x20001ff8), uint64_t{FW_BOOTSTRAP_PA + 0x1ff8});
  EXPECT_EQ(Translate(0x2003ffff), uint64_t{FW_BOOTSTRAP_PA + 0x3ffff});
  EXPECT_EQ(Translate(0x20040000), std::nullopt);
  EXPECT_EQ(Translate(0x1fffffff), std::nullopt);
  // It is not the system's to take, and nothing else is there.
  EXPECT_GE(uint64_t{FW_BOOTSTRAP_PA}, uint64_t{FW_STACK_PA + FW_MAX_CPUS * FW_STACK_SIZE});
  EXPECT_LE(uint64_t{FW_BOOTSTRAP_PA + FW_BOOTSTRAP_SIZE}, uint64_t{FW_END});
}

TEST(PageTablesTest, MapThemselvesAtTheVptb) {
  // VPTB plus eight times the page number of an address is where its level 3 PTE is seen.
  EXPECT_EQ(Translate(FW_VPTB_VA + (uint64_t{FW_HWRPB_VA} >> 13) * 8),
            uint64_t{FW_PAGE_TABLES_PA + 2 * 8192});
  // Through the self-map twice and thrice: levels 2 and 1.
  const uint64_t level2 = FW_VPTB_VA + ((FW_VPTB_VA & 0x7ffffffffff) >> 13) * 8;
  EXPECT_EQ(Translate(level2), uint64_t{FW_PAGE_TABLES_PA + 8192});
  const uint64_t level1 = FW_VPTB_VA + ((level2 & 0x7ffffffffff) >> 13) * 8;
  EXPECT_EQ(*Translate(level1) & ~uint64_t{0x1fff}, uint64_t{FW_PAGE_TABLES_PA});
}

// What the tables at FW_PAGE_TABLES_PA lead an address to; 0: it is not mapped.
uint64_t Walk(const std::vector<uint8_t>& tables, uint64_t va) {
  uint64_t table = 0;
  uint64_t entry = 0;
  for (int level = 1; level <= 3; ++level) {
    const uint64_t index = va >> (13 + 10 * (3 - level)) & 0x3ff;
    std::memcpy(&entry, tables.data() + table + 8 * index, sizeof entry);
    if ((entry & 1) == 0) return 0;
    table = (entry >> 32 << 13) - FW_PAGE_TABLES_PA;
  }
  return (entry >> 32 << 13) + (va & 0x1fff);
}

TEST(PageTablesTest, ABootstrapFindsWhatSrmMaps) {
  const std::vector<uint8_t> tables = BuildPageTables(BootProgram::kBootstrap);
  EXPECT_EQ(Walk(tables, 0x10000008), uint64_t{FW_HWRPB_PA + 8});
  EXPECT_EQ(Walk(tables, 0x20000000), uint64_t{FW_BOOTSTRAP_PA});
  EXPECT_EQ(Walk(tables, 0x20000000 + FW_PRIMARY_SIZE - 8),
            uint64_t{FW_BOOTSTRAP_PA + FW_PRIMARY_SIZE - 8});
  EXPECT_EQ(Walk(tables, 0x20000000 + FW_PRIMARY_SIZE), 0u) << "a stack that grows too far faults";
  const Hwpcb hwpcb = BootHwpcb(0, BootProgram::kBootstrap);
  EXPECT_EQ(Walk(tables, hwpcb.kernel_stack - 8), uint64_t{FW_STACK_PA + FW_STACK_SIZE - 8});
  EXPECT_EQ(Walk(tables, hwpcb.kernel_stack), 0u);
  // Linux's boot loader looks for the level 1 table here.
  EXPECT_EQ(Walk(tables, 0x200802000), uint64_t{FW_PAGE_TABLES_PA});
  const Reader hwrpb({.memory_bytes = kMemory,
                      .clock_hz = 600'000'000,
                      .cpu_count = 1,
                      .program = BootProgram::kBootstrap});
  EXPECT_EQ(hwrpb[0x78], 0x200000000u);
  EXPECT_EQ(hwrpb[hwrpb[0xa0]], hwpcb.kernel_stack);
}

// What the machine knows of CPUs from their slots in guest memory.
TEST(SlotTest, TellsWhichCpusAreInOperation) {
  std::vector<uint64_t> ram((FW_HWRPB_PA + FW_HWRPB_SIZE) / sizeof(uint64_t));
  alpha::Memory memory(reinterpret_cast<uint8_t*>(ram.data()), FW_HWRPB_PA + FW_HWRPB_SIZE);
  HwrpbOptions options;
  options.cpu_count = 2;
  const std::vector<uint8_t> block = BuildHwrpb(options);
  memory.Write(FW_HWRPB_PA, block.data(), block.size());
  const uint64_t slots = FW_HWRPB_PA + memory.Load<uint64_t>(FW_HWRPB_PA + 160);
  const auto slot = [&](uint32_t cpu) {
    return slots + cpu * memory.Load<uint64_t>(FW_HWRPB_PA + 152);
  };
  EXPECT_TRUE(IsInOperation(0, memory));
  EXPECT_FALSE(IsInOperation(1, memory)) << "nobody has started it";
  memory.Store<uint64_t>(slot(1) + 128, memory.Load<uint64_t>(slot(1) + 128) | 1);
  EXPECT_TRUE(IsInOperation(1, memory));
  for (const uint32_t cpu : {0, 1}) {
    memory.Store<uint64_t>(slot(cpu) + 280, 5);  // its halt code
    EXPECT_FALSE(IsInOperation(cpu, memory));
    EXPECT_FALSE(HasHaltAction(cpu, memory));
    memory.Store<uint64_t>(slot(cpu) + 128, memory.Load<uint64_t>(slot(cpu) + 128) | 4 << 16);
    EXPECT_TRUE(HasHaltAction(cpu, memory));
  }
}

TEST(BootHwpcbTest, StacksOfTheCpusDoNotMeet) {
  for (uint32_t cpu = 0; cpu < FW_MAX_CPUS; ++cpu) {
    const Hwpcb hwpcb = BootHwpcb(cpu);
    EXPECT_EQ(hwpcb.kernel_stack, 0xfffffc0000048000 + (cpu + 1) * FW_STACK_SIZE);
    EXPECT_LE(hwpcb.kernel_stack, 0xfffffc0000000000 + FW_END);
    EXPECT_EQ(hwpcb.page_table * 8192, uint64_t{FW_PAGE_TABLES_PA});
    EXPECT_EQ(hwpcb.flags & 1, 1u);
  }
}

}  // namespace
}  // namespace isochron::machine
