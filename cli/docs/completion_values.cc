#include "absl/strings/str_cat.h"
#include "cli/commands/log.h"
#include "cli/commands/profile.h"
#include "cli/commands/query.h"
#include "cli/docs/command_list.h"
#include "cli/docs/completion.h"
#include "cli/text/option_kind.h"
#include "engines/engines.h"

namespace isochron::cli {

namespace {

// The commands of the program that this command is of.
std::vector<std::string> CommandNames(const CLI::App& command) {
  const CLI::App* program = &command;
  while (program->get_parent() != nullptr) program = program->get_parent();
  std::vector<std::string> names;
  for (const CLI::App* below : CommandsBelow(*program)) names.push_back(below->get_name());
  return names;
}

}  // namespace

Values ValuesOf(const CLI::Option& option, const CLI::App& command) {
  const std::string& name = option.get_single_name();
  const std::vector<std::string> engines = engines::EngineNames();
  if (name == "engine") return {Values::Kind::kWords, engines};
  if (name == "engines") {
    std::vector<std::string> pairs;
    for (const std::string& first : engines) {
      for (const std::string& second : engines) pairs.push_back(absl::StrCat(first, ",", second));
    }
    return {Values::Kind::kWords, pairs};
  }
  if (name == "pace") return {Values::Kind::kWords, {"off", "idle", "always"}};
  if (name == "on-panic") return {Values::Kind::kWords, {"exit", "ignore"}};
  if (name == "type") return {Values::Kind::kWords, LogDumpTypes()};
  if (name == "mode") return {Values::Kind::kWords, {"user", "kernel", "pal"}};
  if (name == "by") return {Values::Kind::kWords, ProfileRowNames()};
  if (name == "format") return {Values::Kind::kWords, ProfileFormatNames()};
  if (name == "weight") return {Values::Kind::kWords, {"cycles", "instructions"}};
  if (name == "question") return {Values::Kind::kWords, QuestionNames()};
  if (option.get_type_name() == "COMMAND") return {Values::Kind::kWords, CommandNames(command)};
  if (option.get_type_name() == "WHERE")
    return {Values::Kind::kConsole, {"stdio", "null", "pty", "socket:"}};
  if (name == "net") return {Values::Kind::kWords, {"none", "user", "socket:"}};
  if (NamesFile(option)) return {Values::Kind::kFile, {}};
  return {};
}

}  // namespace isochron::cli
