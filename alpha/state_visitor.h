// One description of a component's state serves saving, restoring and digests.

#ifndef ISOCHRON_ALPHA_STATE_VISITOR_H_
#define ISOCHRON_ALPHA_STATE_VISITOR_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"

namespace isochron::alpha {

// Walks the fields of a component in a fixed order. A component implements
// `void VisitState(StateVisitor&)` once; a StateWriter turns the walk into bytes, a
// StateReader overwrites the fields from such bytes. A walk that reads changes nothing: whatever
// checks, repairs or derives stands behind restoring().
//
// The byte form is independent of the host: integers are little-endian at their declared
// width, bools one byte, enums their underlying type, sequences a 32-bit count and their
// elements.
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;

  // Marks the start of a component. A reader fails here when the bytes hold another one.
  void Section(std::string_view name);

  template <typename T>
    requires std::integral<T> || std::is_enum_v<T>
  void Field(T& value) {
    if constexpr (std::is_enum_v<T>) {
      auto raw = static_cast<std::underlying_type_t<T>>(value);
      Field(raw);
      if (restoring()) value = static_cast<T>(raw);
    } else if constexpr (std::same_as<T, bool>) {
      uint8_t raw = value ? 1 : 0;
      Raw(&raw, 1);
      if (restoring()) value = raw != 0;
    } else {
      Raw(&value, sizeof(T));
    }
  }

  template <typename... T>
    requires(sizeof...(T) > 1)
  void Field(T&... values) {
    (Field(values), ...);
  }

  template <typename T, size_t N>
  void Field(std::array<T, N>& values) {
    for (T& value : values) Field(value);
  }

  // Elements that describe themselves by a VisitState of their own.
  template <typename T>
    requires requires(T& value, StateVisitor& visitor) { value.VisitState(visitor); }
  void Field(T& value) {
    value.VisitState(*this);
  }

  // A byte string or sequence of at most `max_size` elements. A reader that meets a longer
  // one fails and leaves it empty.
  void Field(std::string& bytes, size_t max_size);
  template <typename T>
  void Field(std::deque<T>& values, size_t max_size) {
    Sequence(values, max_size);
  }
  template <typename T>
  void Field(std::vector<T>& values, size_t max_size) {
    Sequence(values, max_size);
  }

  // `size` bytes at `data`, without a length.
  void Bytes(void* data, size_t size) { Raw(data, size); }

  // Whether the fields are being overwritten.
  virtual bool restoring() const = 0;

  // Declares that what was just read makes no sense. Ignored by a writer.
  virtual void Fail(std::string_view what) = 0;

 protected:
  // Moves `size` bytes between `data` and the stream. Little-endian hosts only.
  virtual void Raw(void* data, size_t size) = 0;

 private:
  template <typename Container>
  void Sequence(Container& values, size_t max_size) {
    uint32_t count = static_cast<uint32_t>(values.size());
    Field(count);
    if (restoring()) {
      if (count > max_size) {
        Fail("a sequence is longer than the component allows");
        count = 0;
      }
      values.resize(count);
    }
    for (auto& value : values) Field(value);
  }
};

// Appends the state to a byte string.
class StateWriter final : public StateVisitor {
 public:
  const std::string& bytes() const { return bytes_; }
  std::string Release() { return std::move(bytes_); }
  bool restoring() const override { return false; }
  void Fail(std::string_view) override {}

 protected:
  void Raw(void* data, size_t size) override {
    bytes_.append(static_cast<const char*>(data), size);
  }

 private:
  std::string bytes_;
};

// Restores the state from bytes that a StateWriter made. After the first fault every
// further field reads as zero; the caller must check status() and discard the component
// when it is not OK.
class StateReader final : public StateVisitor {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  // InvalidArgument with the offset of the first fault, or when bytes are left over.
  absl::Status Finish();
  bool restoring() const override { return true; }
  void Fail(std::string_view what) override;

 protected:
  void Raw(void* data, size_t size) override;

 private:
  std::string_view bytes_;
  size_t offset_ = 0;
  absl::Status status_;
};

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_STATE_VISITOR_H_
