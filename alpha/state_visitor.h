// One description of a component's state serves saving, restoring, digests and everybody who asks
// for state by name.

#ifndef ISOCHRON_ALPHA_STATE_VISITOR_H_
#define ISOCHRON_ALPHA_STATE_VISITOR_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace isochron::alpha {

// A class says once what its state is, in a function that serves reading and restoring:
//
//   template <typename Visitor, typename Self>
//   static void Walk(Visitor& visitor, Self& self) {
//     visitor.Section("uart16550");
//     visitor.Field("ier", self.ier_);
//     visitor.Field("receive_fifo", self.receive_fifo_, kFifoSize);
//   }
//
// The walk is const when it reads (Visitor is StateVisitor, Self is const) and changes the fields
// when it restores (StateReader). What checks or derives after restoring, and all that a base class
// declares, stands in two functions around it, which a class without such needs can leave out:
//
//   void VisitState(StateVisitor& visitor) const { Walk(visitor, *this); }
//   void RestoreState(StateReader& reader) { Walk(reader, *this); CheckAndDerive(); }
//
// The byte form is a contract (snapshots, digests): fields in the order of the walk, integers
// little-endian at their declared width, bools one byte, enums their underlying type, sequences a
// 32-bit count and their elements, sections the text of their mark. Names are no part of it.
//
// Names are literals, and lower-case words with underscores. A field's path is
// SECTION.NAME, with [INDEX] behind what is an element and .NAME for what is within an element:
// "cpu0.pc", "cpu0.itb[3].base", "uart0.receive_fifo.size". No two fields have one path.

template <typename T>
concept StateNumber = std::integral<T> || std::is_enum_v<T>;

// What the two kinds of walk have in common. Derived has
//   void Mark(std::string_view), void Number(StateNumber), void Raw(pointer, size),
//   void Object(object), void Resize(container, count, max_size),
//   bool Nameless(StateNumber): whether it was enough to have the number, without its name.
template <typename Derived>
class StateWalk {
 public:
  StateWalk(const StateWalk&) = delete;
  StateWalk& operator=(const StateWalk&) = delete;

  // The start of a component's fields. `mark` is in the byte form; a reader fails when another one
  // stands there. It names the section, too, where the owner has not done so with Component().
  void Section(const char* mark) {
    if (!named_) section_ = mark;
    self().Mark(mark);
  }

  // All of an object's state, with the names that it gives itself.
  template <typename T>
  void Whole(T& object) {
    self().Object(object);
  }

  // The state of a component as a section of its own, called `name`.
  template <typename T>
  void Component(const char* name, T& component) {
    const char* const outer = std::exchange(section_, name);
    const bool outer_named = std::exchange(named_, true);
    Whole(component);
    section_ = outer;
    named_ = outer_named;
  }

  // A number, an array of what can be a field, or an object with a walk of its own.
  template <typename T>
  void Field(const char* name, T& value) {
    if constexpr (StateNumber<std::remove_const_t<T>>) {
      if (self().Nameless(value)) return;
    }
    const Scope scope(*this, name);
    Value(value);
  }
  template <typename T, size_t N>
  void Field(const char* name, std::span<T, N> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if constexpr (StateNumber<std::remove_const_t<T>>) {
        if (self().Nameless(values[i])) continue;
      }
      const Scope scope(*this, name, i);
      Value(values[i]);
    }
  }
  template <typename T, size_t N>
  void Field(const char* name, std::array<T, N>& values) {
    Field(name, std::span<T, N>(values));
  }
  template <typename T, size_t N>
  void Field(const char* name, const std::array<T, N>& values) {
    Field(name, std::span<const T, N>(values));
  }

  // The elements of the object itself: their [INDEX] stands behind its own name.
  template <typename T, size_t N>
  void Elements(std::span<T, N> values) {
    Field("", values);
  }

  // A byte string or sequence of at most `max_size` elements. A reader that meets a longer one
  // fails and leaves it empty. The count is "NAME.size".
  template <typename Container>
  void Field(const char* name, Container& values, size_t max_size) {
    const Scope scope(*this, name);
    uint32_t count = static_cast<uint32_t>(values.size());
    Field("size", count);
    self().Resize(values, count, max_size);
    if constexpr (std::same_as<std::remove_const_t<Container>, std::string>) {
      self().Raw(values.data(), values.size());
    } else {
      for (size_t i = 0; i < values.size(); ++i) {
        const Scope element(*this, "", i);
        Value(values[i]);
      }
    }
  }

  // `size` bytes at `data`, without a count: element `index` of the byte strings called `name`.
  template <typename Byte>
  void Bytes(const char* name, size_t index, Byte* data, size_t size) {
    const Scope scope(*this, name, index);
    self().Raw(data, size);
  }

  // The section in which the walk is, empty before the first one; and the path of the field, empty
  // before the first section. Building the path takes time: for those who show it.
  std::string_view section() const { return section_; }
  std::string path() const;

 protected:
  StateWalk() = default;
  ~StateWalk() = default;

 private:
  static constexpr size_t kNoIndex = static_cast<size_t>(-1);

  // One step on the way to a field; the steps live on the stack of the walk.
  class Scope {
   public:
    Scope(StateWalk& walk, const char* name, size_t index = kNoIndex)
        : walk_(walk), outer_(std::exchange(walk.innermost_, this)), name_(name), index_(index) {}
    ~Scope() { walk_.innermost_ = outer_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

    void AppendPath(std::string& path) const;

   private:
    StateWalk& walk_;
    const Scope* outer_;
    const char* name_;
    size_t index_;
  };

  Derived& self() { return static_cast<Derived&>(*this); }

  template <typename T>
  void Value(T& value) {
    if constexpr (StateNumber<std::remove_const_t<T>>) {
      self().Number(value);
    } else {
      self().Object(value);
    }
  }

  const char* section_ = "";
  bool named_ = false;  // by Component()
  const Scope* innermost_ = nullptr;
};

// Sees all state and changes none.
class StateVisitor : public StateWalk<StateVisitor> {
 public:
  virtual ~StateVisitor() = default;

 protected:
  // What the walk comes to. section() and path() say where it is.
  virtual void OnSection(std::string_view mark) = 0;
  // A number of 1 to 8 bytes; what is signed is extended to 64 bits.
  virtual void OnNumber(uint64_t value, size_t size) = 0;
  virtual void OnBytes(std::string_view bytes) = 0;

  // For who wants no more of numbers than their bytes: where those go, as long as there is room,
  // without a call. Digests and snapshots consist of thousands of them.
  char* cursor_ = nullptr;
  char* end_ = nullptr;

 private:
  friend class StateWalk<StateVisitor>;

  template <StateNumber T>
  bool Nameless(const T& value) {
    if (static_cast<size_t>(end_ - cursor_) < sizeof(T)) return false;
    std::memcpy(cursor_, &value, sizeof(T));
    cursor_ += sizeof(T);
    return true;
  }

  void Mark(std::string_view mark) { OnSection(mark); }
  template <StateNumber T>
  void Number(const T& value) {
    OnNumber(static_cast<uint64_t>(value), sizeof(T));
  }
  void Raw(const void* data, size_t size) {
    OnBytes(std::string_view(static_cast<const char*>(data), size));
  }
  template <typename T>
  void Object(const T& object) {
    if constexpr (requires { object.VisitState(*this); }) {
      object.VisitState(*this);
    } else {
      T::Walk(*this, object);
    }
  }
  template <typename Container>
  void Resize(const Container&, uint32_t, size_t) {}
};

// Appends the state to a byte string.
class StateWriter final : public StateVisitor {
 public:
  std::string_view bytes() const { return {bytes_.data(), size()}; }
  std::string Release() {
    bytes_.resize(size());
    cursor_ = end_ = nullptr;
    return std::exchange(bytes_, {});
  }

 protected:
  void OnSection(std::string_view mark) override {
    OnNumber(mark.size(), sizeof(uint32_t));
    OnBytes(mark);
  }
  // Little-endian hosts only.
  void OnNumber(uint64_t value, size_t size) override { Append(&value, size); }
  void OnBytes(std::string_view bytes) override { Append(bytes.data(), bytes.size()); }

 private:
  size_t size() const { return bytes_.size() - static_cast<size_t>(end_ - cursor_); }
  void Append(const void* data, size_t size);

  std::string bytes_;  // with room behind cursor_
};

// Restores the state from bytes that a StateWriter made. After the first fault every
// further field reads as zero; the caller must check Finish() and discard the component
// when it is not OK.
class StateReader final : public StateWalk<StateReader> {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  // InvalidArgument with the offset and the place of the first fault, or when bytes are left over.
  absl::Status Finish();
  // Declares that what was just read makes no sense.
  void Fail(std::string_view what);
  // Whether there has been no fault so far.
  bool ok() const { return status_.ok(); }

 private:
  friend class StateWalk<StateReader>;

  // `path`: of the field, empty when it is none's fault.
  void FailAt(const std::string& path, std::string_view what);
  void Mark(std::string_view mark);
  template <StateNumber T>
  bool Nameless(T&) {
    return false;
  }
  template <StateNumber T>
  void Number(T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::underlying_type_t<T> raw{};
      Raw(&raw, sizeof raw);
      value = static_cast<T>(raw);
    } else if constexpr (std::same_as<T, bool>) {
      uint8_t raw = 0;
      Raw(&raw, sizeof raw);
      value = raw != 0;
    } else {
      Raw(&value, sizeof(T));
    }
  }
  void Raw(void* data, size_t size);
  template <typename T>
  void Object(T& object) {
    if constexpr (requires { object.RestoreState(*this); }) {
      object.RestoreState(*this);
    } else {
      T::Walk(*this, object);
    }
  }
  template <typename Container>
  void Resize(Container& values, uint32_t count, size_t max_size) {
    if (count > max_size) {
      Fail("it is longer than the component allows");
      count = 0;
    }
    values.resize(count);
  }

  std::string_view bytes_;
  size_t offset_ = 0;
  absl::Status status_;
};

extern template class StateWalk<StateVisitor>;
extern template class StateWalk<StateReader>;

// The state of one object as bytes, and back; see StateReader::Finish().
template <typename T>
std::string StateBytes(const T& object) {
  StateWriter writer;
  writer.Whole(object);
  return writer.Release();
}
template <typename T>
absl::Status RestoreFromBytes(std::string_view bytes, T& object) {
  StateReader reader(bytes);
  reader.Whole(object);
  return reader.Finish();
}

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_STATE_VISITOR_H_
