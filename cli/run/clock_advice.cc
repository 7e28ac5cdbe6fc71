#include "cli/run/clock_advice.h"

#include <chrono>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace isochron::cli {
namespace {

int YearOf(int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(time)};
  return static_cast<int>(date.year());
}

// The number behind the last epoch= that Linux does not ignore.
std::optional<int> EpochOf(std::string_view command_line) {
  std::optional<int> epoch;
  for (const std::string& word : std::vector<std::string>(
           absl::StrSplit(absl::string_view(command_line.data(), command_line.size()), ' '))) {
    int value = 0;
    constexpr std::string_view kName = "epoch=";
    if (word.starts_with(kName) && absl::SimpleAtoi(word.substr(kName.size()), &value) &&
        value >= 1900) {
      epoch = value;
    }
  }
  return epoch;
}

// arch/alpha/kernel/rtc.c of Linux 6.1.
int LinuxYear(int digits, std::string_view command_line) {
  const int guessed = digits < 20 ? 2000 : digits < 48 ? 1980 : digits < 70 ? 1952 : 1900;
  const int year = EpochOf(command_line).value_or(guessed) + digits;
  return year < 1970 ? year + 100 : year;
}

// sys/arch/alpha/alpha/mcclock.c and sys/dev/ic/mc146818.c of NetBSD.
int NetBsdYear(int digits) { return digits < 70 ? 2000 + digits : 1900 + digits; }

}  // namespace

KernelKind KindOf(const machine::KernelImage& kernel) {
  for (const machine::KernelSegment& segment : kernel.segments) {
    if (segment.contents.find("Linux version ") != std::string::npos) return KernelKind::kLinux;
    if (segment.contents.find("The NetBSD Foundation") != std::string::npos) {
      return KernelKind::kNetBsd;
    }
  }
  return KernelKind::kUnknown;
}

int YearShown(KernelKind kind, int year, std::string_view command_line) {
  const int digits = year % 100;
  switch (kind) {
    case KernelKind::kLinux: return LinuxYear(digits, command_line);
    case KernelKind::kNetBsd: return NetBsdYear(digits);
    case KernelKind::kUnknown: break;
  }
  return year;
}

std::optional<std::string> ClockAdvice(const machine::MachineConfig& config,
                                       const machine::KernelImage& kernel) {
  const int year = YearOf(config.rtc_base_seconds);
  const KernelKind kind = KindOf(kernel);
  const int shown = YearShown(kind, year, config.command_line);
  if (shown == year) return std::nullopt;
  const bool is_linux = kind == KernelKind::kLinux;
  const int century = year / 100 * 100;
  return absl::StrCat(
      "warning: ", is_linux ? "Linux" : "NetBSD", " takes ", year, " for ", shown,
      ", since the clock chip has two digits of the year",
      is_linux ? absl::StrCat("; epoch=", century, " in --append makes it right") : std::string());
}

}  // namespace isochron::cli
