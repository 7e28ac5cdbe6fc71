#include "machine/firmware/firmware.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/cost.h"
#include "machine/events/config.h"
#include "machine/firmware/console_layout.h"
#include "machine/firmware/embedded_images.h"
#include "machine/firmware/firmware_layout.h"
#include "machine/firmware/hwrpb.h"

namespace isochron::machine {
namespace {

// Linux's parameter page lies this far below its first instruction (asm/setup.h: ZERO_PGE and
// START_ADDR). Offsets in the page.
constexpr uint64_t kParametersBelowKernel = 0x6000;
constexpr uint64_t kInitrdStart = 0x100;
constexpr uint64_t kInitrdSize = 0x108;

// The initrd stays below this: the 21272's direct-mapped DMA window and old kernels' first
// allocations reach no further.
constexpr uint64_t kInitrdLimit = uint64_t{1} << 30;
// Linux takes pages right behind its image before it looks where the initrd is.
constexpr uint64_t kKernelSlack = uint64_t{1} << 20;

// Where things go; all physical addresses.
struct Plan {
  std::optional<uint64_t> parameters;
  uint64_t initrd = 0;
};

bool Overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

bool OverlapsKernel(const KernelImage& kernel, uint64_t begin, uint64_t bytes) {
  return std::any_of(kernel.segments.begin(), kernel.segments.end(),
                     [&](const KernelSegment& segment) {
                       return Overlap(begin, bytes, segment.physical(), segment.memory_bytes);
                     });
}

absl::Status CheckOptions(const FirmwareOptions& options, std::span<const uint8_t> palcode,
                          const alpha::Memory& memory) {
  if (options.memory_bytes != memory.size() || options.memory_bytes % alpha::kPageSize != 0) {
    return absl::InvalidArgumentError("memory size is not that of the machine");
  }
  if (options.memory_bytes <= FW_END) {
    return absl::InvalidArgumentError(absl::StrCat(
        "memory of ", options.memory_bytes, " bytes is too small: the firmware needs ", FW_END));
  }
  if (options.cpu_count < 1 || options.cpu_count > FW_MAX_CPUS) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.cpu_count, " CPUs: there can be 1 to ", FW_MAX_CPUS));
  }
  if (options.command_line.size() > MachineConfig::kMaxCommandLine) {
    return absl::InvalidArgumentError(absl::StrCat("command line of ", options.command_line.size(),
                                                   " bytes is too long: the kernel takes ",
                                                   MachineConfig::kMaxCommandLine));
  }
  if (options.command_line.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("command line with a zero byte");
  }
  if (palcode.empty() || palcode.size() > FW_PAL_SIZE) {
    return absl::InvalidArgumentError(
        absl::StrCat("PALcode of ", palcode.size(), " bytes: its area has ", FW_PAL_SIZE));
  }
  return absl::OkStatus();
}

// Where the initrd can begin.
uint64_t BehindKernel(const KernelImage& kernel) {
  uint64_t floor = FW_END;
  for (const KernelSegment& segment : kernel.segments) {
    floor = std::max(floor, segment.physical() + segment.memory_bytes + kKernelSlack);
  }
  return floor;
}

// What to do about images that do not fit: "; to load the kernel takes at least --memory 27M".
// Empty when no memory is enough. What a guest needs to unpack an initrd is not known here: it is
// compressed.
std::string LeastMemory(const KernelImage& kernel, uint64_t initrd_bytes) {
  uint64_t least = 0;
  for (const KernelSegment& segment : kernel.segments) {
    least = std::max(least, segment.physical() + segment.memory_bytes);
  }
  if (initrd_bytes > 0) {
    least = ((BehindKernel(kernel) + alpha::kPageMask) & ~alpha::kPageMask) + initrd_bytes;
    if (initrd_bytes > kInitrdLimit || least > kInitrdLimit) return "";
  }
  constexpr uint64_t kMiB = uint64_t{1} << 20;
  if (least > MachineConfig::kMaxMemory) return "";
  const uint64_t mib = (least + kMiB - 1) / kMiB;
  if (initrd_bytes == 0) return absl::StrFormat("; to load it takes at least --memory %dM", mib);
  return absl::StrFormat(
      "; to load kernel and initrd takes at least --memory %dM, and to unpack the initrd more",
      mib);
}

absl::Status CheckKernel(const KernelImage& kernel, uint64_t initrd_bytes,
                         const alpha::Memory& memory) {
  for (const KernelSegment& segment : kernel.segments) {
    if (!memory.Contains(segment.physical(), segment.memory_bytes)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("kernel segment at 0x%x (0x%x bytes) lies outside the %d MiB of memory%s",
                          segment.address, segment.memory_bytes, memory.size() >> 20,
                          LeastMemory(kernel, initrd_bytes)));
    }
    if (segment.physical() < FW_END) {
      return absl::InvalidArgumentError(
          absl::StrFormat("kernel segment at 0x%x overlaps the firmware below 0x%x",
                          segment.address, PhysicalToKseg(FW_END)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<uint64_t>> PlaceParameters(const FirmwareOptions& options,
                                                        const KernelImage& kernel,
                                                        bool has_initrd) {
  const auto segment = std::find_if(
      kernel.segments.begin(), kernel.segments.end(),
      [&](const KernelSegment& s) { return kernel.entry - s.address < s.memory_bytes; });
  if (segment == kernel.segments.end()) {
    return absl::InvalidArgumentError("kernel entry point is in no segment");
  }
  const uint64_t base = segment->physical() & ~alpha::kPageMask;
  if (base >= FW_END + kParametersBelowKernel) {
    const uint64_t parameters = base - kParametersBelowKernel;
    if (!OverlapsKernel(kernel, parameters, alpha::kPageSize)) return parameters;
  }
  // Kernels that are not Linux may lie where they like, but then take neither.
  if (options.command_line.empty() && !has_initrd) return std::nullopt;
  return absl::InvalidArgumentError(absl::StrFormat(
      "no room for the command line and initrd address 0x%x bytes below the kernel at 0x%x",
      kParametersBelowKernel, segment->address));
}

absl::StatusOr<uint64_t> PlaceInitrd(const KernelImage& kernel, uint64_t initrd_bytes,
                                     uint64_t memory_bytes) {
  const uint64_t limit = std::min(memory_bytes, kInitrdLimit);
  const uint64_t floor = BehindKernel(kernel);
  if (floor > limit || initrd_bytes > limit - floor ||
      ((limit - initrd_bytes) & ~alpha::kPageMask) < floor) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "initrd of %d bytes is too large: %d bytes are free behind the kernel%s", initrd_bytes,
        floor < limit ? limit - floor : 0, LeastMemory(kernel, initrd_bytes)));
  }
  return (limit - initrd_bytes) & ~alpha::kPageMask;
}

absl::StatusOr<Plan> MakePlan(const FirmwareOptions& options, const KernelImage& kernel,
                              std::string_view initrd, const alpha::Memory& memory) {
  if (absl::Status status = CheckKernel(kernel, initrd.size(), memory); !status.ok()) return status;
  Plan plan;
  if (options.program() == BootProgram::kBootstrap) return plan;
  absl::StatusOr<std::optional<uint64_t>> parameters =
      PlaceParameters(options, kernel, !initrd.empty());
  if (!parameters.ok()) return parameters.status();
  plan.parameters = *parameters;
  if (!initrd.empty()) {
    absl::StatusOr<uint64_t> place = PlaceInitrd(kernel, initrd.size(), memory.size());
    if (!place.ok()) return place.status();
    plan.initrd = *place;
  }
  return plan;
}

void Put(std::span<const uint8_t> bytes, uint64_t pa, alpha::Memory& memory) {
  memory.WriteChanges(pa, bytes.data(), bytes.size());
}

void SetSlot(uint64_t table, uint64_t id, std::string_view value, alpha::Memory& memory) {
  const uint64_t slot = FW_CONSOLE_PA + table + id * CONSOLE_ENV_SLOT;
  memory.Store<uint64_t>(slot, value.size());
  if (!value.empty()) memory.Write(slot + 8, value.data(), value.size());
}

// With its default.
void SetVariable(uint64_t id, std::string_view value, alpha::Memory& memory) {
  SetSlot(CONSOLE_ENV, id, value, memory);
  SetSlot(CONSOLE_ENV_DEFAULTS, id, value, memory);
}

// What a console with disks has more than one without.
void LoadDiskConsole(const DiskConsole& console, std::string_view flags, alpha::Memory& memory) {
  static_assert(CONSOLE_UNITS + CONSOLE_UNIT_COUNT * CONSOLE_UNIT_NAME <= CONSOLE_BOOT_UNIT);
  for (size_t i = 0; i < console.units.size(); ++i) {
    memory.Write(FW_CONSOLE_PA + CONSOLE_UNITS + i * CONSOLE_UNIT_NAME, console.units[i].data(),
                 console.units[i].size());
  }
  const std::string unit =
      console.boot_unit.has_value() ? console.units[*console.boot_unit] : std::string();
  if (console.boot_unit.has_value()) {
    memory.Store<uint64_t>(FW_CONSOLE_PA + CONSOLE_BOOT_UNIT, *console.boot_unit);
    SetVariable(CONSOLE_ENV_AUTO_ACTION, "BOOT", memory);
    SetVariable(CONSOLE_ENV_BOOT_DEV, unit, memory);
    SetVariable(CONSOLE_ENV_BOOTDEF_DEV, unit, memory);
    SetVariable(CONSOLE_ENV_BOOTED_DEV, unit, memory);
  }
  for (uint64_t id = 1; id < CONSOLE_ENV_COUNT; ++id) {
    const std::optional<std::string>& value = console.environment.values[id];
    if (value.has_value()) SetSlot(CONSOLE_ENV, id, *value, memory);
  }
  if (!console.boot_unit.has_value()) return;
  // A boot is asked for: its device, and its flags if they are told, whatever the environment says.
  SetSlot(CONSOLE_ENV, CONSOLE_ENV_BOOT_DEV, unit, memory);
  const std::optional<std::string>& kept = console.environment.values[CONSOLE_ENV_BOOT_OSFLAGS];
  if (flags.empty() && kept.has_value()) {
    SetVariable(CONSOLE_ENV_BOOTED_OSFLAGS, *kept, memory);
  } else {
    SetSlot(CONSOLE_ENV, CONSOLE_ENV_BOOT_OSFLAGS, flags, memory);
  }
}

void LoadConsole(const FirmwareOptions& options, alpha::Memory& memory) {
  static_assert(MachineConfig::kMaxCommandLine <= CONSOLE_ENV_MAX_LENGTH);
  Put(options.disk_console.has_value() ? DiskConsoleImage() : ConsoleImage(), FW_CONSOLE_PA,
      memory);
  SetVariable(CONSOLE_ENV_AUTO_ACTION, "HALT", memory);
  // Protocol, hose, slot, channel, remote address, unit, device type, controller type: of a network
  // boot, since the kernel came from no disk.
  SetVariable(CONSOLE_ENV_BOOTED_DEV, "BOOTP 0 0 0 0 0 0 0", memory);
  SetVariable(CONSOLE_ENV_BOOT_OSFLAGS, options.command_line, memory);
  SetVariable(CONSOLE_ENV_BOOTED_OSFLAGS, options.command_line, memory);
  SetVariable(CONSOLE_ENV_BOOT_RESET, "OFF", memory);
  SetVariable(CONSOLE_ENV_ENABLE_AUDIT, "OFF", memory);
  SetVariable(CONSOLE_ENV_LICENSE, "MU", memory);
  SetVariable(CONSOLE_ENV_CHAR_SET, "0", memory);
  SetVariable(CONSOLE_ENV_LANGUAGE, "36", memory);  // English
  SetVariable(CONSOLE_ENV_TTY_DEV, "0", memory);
  if (options.disk_console.has_value()) {
    LoadDiskConsole(*options.disk_console, options.command_line, memory);
  }
}

uint64_t PagesOf(uint64_t bytes) { return (bytes + alpha::kPageMask) >> alpha::kPageShift; }

void LoadCpu(uint32_t cpu, BootProgram program, const KernelImage& kernel, alpha::Memory& memory) {
  const bool has_kernel = program == BootProgram::kKernel;
  const Hwpcb hwpcb = BootHwpcb(cpu, program);
  const uint64_t pcbb = FW_HWPCB_PA + uint64_t{cpu} * FW_HWPCB_SIZE;
  memory.Write(pcbb, &hwpcb, sizeof(hwpcb));

  const uint64_t boot = FW_IMPURE_BASE + uint64_t{cpu} * FW_IMPURE_SIZE;
  // Secondaries wait for the operating system to start them.
  const uint64_t entry =
      has_kernel ? kernel.entry : PhysicalToKseg(FW_CONSOLE_PA + CONSOLE_BOOT_ENTRY);
  memory.Store<uint64_t>(boot + FW_BOOT_PC, cpu == 0 ? entry : PhysicalToKseg(FW_SECONDARY_PA));
  memory.Store<uint64_t>(boot + FW_BOOT_SP, hwpcb.kernel_stack);
  memory.Store<uint64_t>(boot + FW_BOOT_PCBB, pcbb);
  memory.Store<uint64_t>(boot + FW_BOOT_VPTB, BootVptb(program));
  memory.Store<uint64_t>(boot + FW_BOOT_WHAMI, cpu);
  memory.Store<uint64_t>(boot + FW_BOOT_HWRPB, FW_HWRPB_PA);
  const uint64_t end =
      has_kernel ? kernel.segments.back().physical() + kernel.segments.back().memory_bytes : FW_END;
  memory.Store<uint64_t>(boot + FW_BOOT_FREE, PagesOf(end));
  memory.Store<uint64_t>(boot + FW_BOOT_PTB, hwpcb.page_table);
}

void LoadKernel(const KernelImage& kernel, alpha::Memory& memory) {
  for (const KernelSegment& segment : kernel.segments) {
    const uint64_t size = segment.contents.size();
    memory.WriteChanges(segment.physical(), segment.contents.data(), size);
    memory.Clear(segment.physical() + size, segment.memory_bytes - size);
  }
}

void LoadParameters(const FirmwareOptions& options, const Plan& plan, uint64_t initrd_bytes,
                    alpha::Memory& memory) {
  if (!plan.parameters.has_value()) return;
  const uint64_t page = *plan.parameters;
  memory.Clear(page, alpha::kPageSize);
  const std::string& line = options.command_line;
  if (!line.empty()) memory.Write(page, line.data(), line.size());
  if (initrd_bytes == 0) return;
  memory.Store<uint64_t>(page + kInitrdStart, PhysicalToKseg(plan.initrd));
  memory.Store<uint64_t>(page + kInitrdSize, initrd_bytes);
}

Digest DigestOfImage(std::span<const uint8_t> image) {
  return DigestOf(std::string_view(reinterpret_cast<const char*>(image.data()), image.size()));
}

}  // namespace

Digest PalcodeDigest() { return DigestOfImage(PalcodeImage()); }

Digest DiskConsoleDigest() { return DigestOfImage(DiskConsoleImage()); }

uint64_t FirmwareCycles(const KernelImage& kernel, std::string_view initrd) {
  uint64_t loaded = PagesOf(FW_END) + PagesOf(initrd.size());
  uint64_t cleared = 0;
  for (const KernelSegment& segment : kernel.segments) {
    loaded += PagesOf(segment.contents.size());
    cleared += PagesOf(segment.memory_bytes - segment.contents.size());
  }
  return loaded * alpha::InstructionCost(alpha::CostClass::kFirmwareLoad) +
         cleared * alpha::InstructionCost(alpha::CostClass::kFirmwareClear);
}

absl::Status LoadFirmware(const FirmwareOptions& options, const KernelImage& kernel,
                          std::string_view initrd, std::span<const uint8_t> palcode,
                          alpha::Memory& memory) {
  if (absl::Status status = CheckOptions(options, palcode, memory); !status.ok()) {
    return status;
  }
  absl::StatusOr<Plan> plan = MakePlan(options, kernel, initrd, memory);
  if (!plan.ok()) return plan.status();

  memory.Clear(0, FW_END);
  Put(palcode, FW_PAL_BASE, memory);
  const BootProgram program = options.program();
  Put(BuildHwrpb({options.memory_bytes, options.clock_hz, options.cpu_count, program}), FW_HWRPB_PA,
      memory);
  LoadConsole(options, memory);
  Put(BuildPageTables(program), FW_PAGE_TABLES_PA, memory);
  if (options.cpu_count > 1) Put(SecondaryImage(), FW_SECONDARY_PA, memory);
  for (uint32_t cpu = 0; cpu < options.cpu_count; ++cpu) LoadCpu(cpu, program, kernel, memory);
  LoadKernel(kernel, memory);
  LoadParameters(options, *plan, initrd.size(), memory);
  memory.WriteChanges(plan->initrd, initrd.data(), initrd.size());
  return absl::OkStatus();
}

}  // namespace isochron::machine
