#include "cli/run/run_options.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

// The options that the arguments give; `error` is what CLI11 or ValidateOptions() says.
struct Parsed {
  RunOptions options;
  std::string error;
};

Parsed Parse(std::vector<std::string> arguments) {
  Parsed parsed;
  CLI::App command;
  AddMachineOptions(command, parsed.options);
  AddEngineOption(command, parsed.options);
  AddControlOptions(command, parsed.options);
  AddConsoleOptions(command, parsed.options);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 wants it so
  try {
    command.parse(arguments);
  } catch (const CLI::ParseError& error) {
    parsed.error = error.what();
    return parsed;
  }
  parsed.error = std::string(ValidateOptions(parsed.options).message());
  return parsed;
}

TEST(RunOptions, HaveTheDocumentedDefaults) {
  const Parsed parsed = Parse({"--kernel", "vmlinux"});
  EXPECT_EQ(parsed.error, "");
  const RunOptions& options = parsed.options;
  EXPECT_EQ(options.kernel_path, "vmlinux");
  EXPECT_EQ(options.initrd_path, "");
  EXPECT_EQ(options.config.memory_bytes, uint64_t{256} << 20);
  EXPECT_EQ(options.config.clock_hz, 600'000'000u);
  EXPECT_EQ(options.config.rtc_base_seconds, 1'262'304'000);
  EXPECT_EQ(options.config.seed, 0u);
  EXPECT_EQ(options.engine, engines::EngineNames().back());
  EXPECT_EQ(options.consoles[0].kind, ConsoleTarget::Kind::kStdio);
  EXPECT_TRUE(options.config.reboot);
  EXPECT_FALSE(options.max_cycles.has_value());
  EXPECT_FALSE(options.stats);
}

TEST(RunOptions, TakeEveryOption) {
  const Parsed parsed = Parse({"--kernel",
                               "k",
                               "--initrd",
                               "i",
                               "--append",
                               "console=ttyS0 quiet",
                               "--memory",
                               "1G",
                               "--engine",
                               "ref",
                               "--rtc",
                               "2012-02-03T04:05:06",
                               "--seed",
                               "0x10",
                               "--tlb-entries",
                               "512",
                               "--clock-hz",
                               "700M",
                               "--no-reboot",
                               "--max-cycles",
                               "5G",
                               "--console",
                               "file:out",
                               "--script",
                               "s",
                               "--stats"});
  EXPECT_EQ(parsed.error, "");
  const RunOptions& options = parsed.options;
  EXPECT_EQ(options.initrd_path, "i");
  EXPECT_EQ(options.config.command_line, "console=ttyS0 quiet");
  EXPECT_EQ(options.config.memory_bytes, uint64_t{1} << 30);
  EXPECT_EQ(options.config.rtc_base_seconds, 1'328'241'906);
  EXPECT_EQ(options.config.seed, 16u);
  EXPECT_EQ(options.config.itb_entries, 512u);
  EXPECT_EQ(options.config.dtb_entries, 512u);
  EXPECT_EQ(options.config.clock_hz, 700'000'000u);
  EXPECT_FALSE(options.config.reboot);
  EXPECT_EQ(options.max_cycles, machine::GuestTime::OfCycles(5'000'000'000));
  EXPECT_EQ(options.consoles[0].kind, ConsoleTarget::Kind::kFile);
  EXPECT_EQ(options.consoles[0].path, "out");
  EXPECT_EQ(options.script_path, "s");
  EXPECT_TRUE(options.stats);
}

TEST(RunOptions, RefuseNonsense) {
  const std::vector<std::vector<std::string>> cases = {
      {"--memory", "lots"},
      {"--memory", "1M"},
      {"--memory", "100G"},
      {"--memory", "65537K"},
      {"--memory", "-5"},
      {"--rtc", "today"},
      {"--seed", "x"},
      {"--tlb-entries", "0"},
      {"--tlb-entries", "1M"},
      {"--max-cycles", "0"},
      {"--max-cycles", "2.5"},
      {"--console", "window"},
      {"--console", "file:"},
      {"--engine", "fast"},
      {"--frobnicate"},
      {"stray"},
      {"--kernel", "again"},
      {"--stats=maybe"},
      {"--append", std::string(256, 'x')},
      {"--clock-hz", "0"},
  };
  for (std::vector<std::string> arguments : cases) {
    arguments.insert(arguments.begin(), {"--kernel", "k"});
    EXPECT_NE(Parse(arguments).error, "") << testing::PrintToString(arguments);
  }
}

TEST(RunOptions, NameTheOptionAndTheReason) {
  EXPECT_EQ(Parse({"--kernel", "k", "--memory", "lots"}).error,
            "--memory: 'lots' is not a size (digits, perhaps followed by K, M or G)");
  EXPECT_THAT(Parse({"--kernel", "k", "--engine", "warp"}).error,
              testing::StartsWith("there is no engine 'warp'; "));
}

TEST(RunOptions, AnEmptyCommandLineIsOne) {
  const Parsed parsed = Parse({"--kernel", "k", "--append", ""});
  EXPECT_EQ(parsed.error, "");
  EXPECT_EQ(parsed.options.config.command_line, "");
}

TEST(RunOptions, TimesAreThoseOfTheClockWhereverItStands) {
  RunOptions options;
  CLI::App command;
  AddMachineOptions(command, options);
  AddIntervalOptions(command, options);
  AddControlOptions(command, options);
  std::vector<std::string> arguments = {"--kernel",         "k",   "--max-cycles",          "1.5s",
                                        "--input-interval", "1ms", "--checkpoint-interval", "0.5s",
                                        "--clock-hz",       "1G"};
  std::reverse(arguments.begin(), arguments.end());
  command.parse(arguments);
  EXPECT_EQ(options.max_cycles->Cycles(options.config.clock_hz), 1'500'000'000u);
  EXPECT_EQ(options.config.input_interval, 1'000'000u);
  EXPECT_EQ(options.config.checkpoint_interval, 500'000'000u);
}

}  // namespace
}  // namespace isochron::cli
