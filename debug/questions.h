// Questions about a run as people ask them.

#ifndef ISOCHRON_DEBUG_QUESTIONS_H_
#define ISOCHRON_DEBUG_QUESTIONS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "debug/query.h"
#include "debug/symbols.h"
#include "machine/machine.h"

namespace isochron::debug {

// One of them.
struct Question {
  std::string what;   // the name of one of QuestionKinds()
  std::string place;  // PC, address or symbol, where that takes one
};

// A kind of question.
struct QuestionKind {
  std::string_view name;
  std::string_view place;  // what its place is called in messages; empty: it takes none
  std::string_view summary;
};
const std::vector<QuestionKind>& QuestionKinds();

// The query for a question, which points to `symbols`. Errors say what is wrong with it.
absl::StatusOr<std::unique_ptr<Query>> MakeQuery(const Question& question, const Symbols& symbols,
                                                 const machine::Machine& machine);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_QUESTIONS_H_
