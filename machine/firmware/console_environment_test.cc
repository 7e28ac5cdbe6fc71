#include "machine/firmware/console_environment.h"

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::machine {
namespace {

using ::testing::HasSubstr;

const std::string kHeading = "isochron-nvram 1\n";

TEST(ConsoleEnvironment, IsTheSameBehindItsText) {
  ConsoleEnvironment environment;
  environment.values[CONSOLE_ENV_BOOT_OSFLAGS] = std::string("a=\\ \0\n\xff\x7f", 8);
  environment.values[CONSOLE_ENV_DUMP_DEV] = "";
  const std::string text = environment.Format();
  EXPECT_EQ(text, kHeading + "boot_osflags=a=\\\\ \\x00\\x0a\\xff\\x7f\ndump_dev=\n");
  EXPECT_EQ(*ConsoleEnvironment::Parse(text), environment);
  EXPECT_EQ(*ConsoleEnvironment::Parse(""), ConsoleEnvironment());
}

TEST(ConsoleEnvironment, RefusesWhatIsNone) {
  const std::string limit(CONSOLE_ENV_MAX_LENGTH, 'x');
  EXPECT_TRUE(ConsoleEnvironment::Parse(kHeading + "boot_file=" + limit + "\n").ok());
  const std::pair<std::string, std::string> cases[] = {
      {"isochron-nvram 2\n", "line 1: this is no NVRAM"},
      {"isochron-nvram 1", "line 1: the line does not end"},
      {kHeading + "boot_file\n", "line 2: expected NAME=VALUE"},
      {kHeading + "booted_dev=x\n", "line 2: 'booted_dev' is no variable"},
      {kHeading + "boot_file=a\nboot_file=b\n", "line 3: boot_file has a value already"},
      {kHeading + "boot_file=\\q\n", "line 2: what is no printable"},
      {kHeading + "boot_file=\\x0\n", "line 2: what is no printable"},
      {kHeading + "boot_file=\t\n", "line 2: what is no printable"},
      {kHeading + "boot_file=" + limit + "x\n", "line 2: a value has at most 504 bytes"},
  };
  for (const auto& [text, why] : cases) {
    EXPECT_THAT(std::string(ConsoleEnvironment::Parse(text).status().message()), HasSubstr(why));
  }
}

TEST(ConsoleEnvironment, ComesOutOfSlots) {
  std::string slots(ConsoleEnvironment::kSlotBytes, '\0');
  const auto set = [&slots](size_t id, uint64_t length, const std::string& value) {
    std::memcpy(&slots[id * CONSOLE_ENV_SLOT], &length, sizeof length);
    std::memcpy(&slots[id * CONSOLE_ENV_SLOT + 8], value.data(), value.size());
  };
  set(CONSOLE_ENV_LANGUAGE, 2, "36");
  set(CONSOLE_ENV_BOOTED_DEV, 4, "disk");
  const auto environment = ConsoleEnvironment::FromSlots(slots);
  ASSERT_TRUE(environment.ok());
  EXPECT_EQ(environment->values[CONSOLE_ENV_LANGUAGE], "36");
  EXPECT_EQ(environment->values[CONSOLE_ENV_DUMP_DEV], "");
  EXPECT_FALSE(environment->values[CONSOLE_ENV_BOOTED_DEV].has_value());
  set(CONSOLE_ENV_LANGUAGE, CONSOLE_ENV_MAX_LENGTH + 1, "");
  EXPECT_FALSE(ConsoleEnvironment::FromSlots(slots).ok());
}

}  // namespace
}  // namespace isochron::machine
