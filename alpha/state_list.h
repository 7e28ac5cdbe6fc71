// State by name.

#ifndef ISOCHRON_ALPHA_STATE_LIST_H_
#define ISOCHRON_ALPHA_STATE_LIST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "alpha/state_visitor.h"

namespace isochron::alpha {

// One number of the state.
struct StateField {
  std::string path;    // see StateWalk
  uint64_t value = 0;  // zero-extended from `size` bytes
  size_t size = 0;     // 1, 2, 4 or 8
};

// Lists the numbers that a walk comes to, in its order. A byte string is a list of bytes.
class StateLister final : public StateVisitor {
 public:
  // `under`: lists what has this path or lies below it, "uart0" or "cpu0.itb[3]"; empty:
  // everything.
  explicit StateLister(std::string_view under = "") : under_(under) {}

  const std::vector<StateField>& fields() const { return fields_; }
  // Internal when two of the fields have one path.
  absl::Status Check() const;

 protected:
  void OnSection(std::string_view) override {}
  void OnNumber(uint64_t value, size_t size) override;
  void OnBytes(std::string_view bytes) override;

 private:
  // Whether what `under_` names can be in the section where the walk is.
  bool InSection() const;
  void Add(std::string path, uint64_t value, size_t size);

  std::string under_;
  std::vector<StateField> fields_;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_STATE_LIST_H_
