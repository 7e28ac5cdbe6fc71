// A C++ program whose work goes through virtual functions: expression trees, a simulation of objects of several
// classes, and a chain of filters. It uses what of the standard library is in headers alone.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "bench.h"

namespace {

// Memory for objects that live as long as the program and have no destructor.
class Arena {
 public:
  template <typename T, typename... Arguments>
  T* Make(Arguments&&... arguments) {
    used_ = (used_ + alignof(T) - 1) / alignof(T) * alignof(T);
    void* const place = memory_ + used_;
    used_ += sizeof(T);
    if (used_ > kSize) Die("Arena");
    return new (place) T(std::forward<Arguments>(arguments)...);
  }

 private:
  static constexpr size_t kSize = 1 << 20;
  char* memory_ = static_cast<char*>(Allocate(kSize));
  size_t used_ = 0;
};

using Variables = std::array<int64_t, 8>;

class Expression {
 public:
  virtual int64_t Evaluate(const Variables& variables) const = 0;
  virtual int Size() const { return 1; }
};

class Constant final : public Expression {
 public:
  explicit Constant(int64_t value) : value_(value) {}
  int64_t Evaluate(const Variables&) const override { return value_; }

 private:
  int64_t value_;
};

class Variable final : public Expression {
 public:
  explicit Variable(size_t index) : index_(index) {}
  int64_t Evaluate(const Variables& variables) const override { return variables[index_]; }

 private:
  size_t index_;
};

template <typename Operation>
class Binary final : public Expression {
 public:
  Binary(const Expression* left, const Expression* right) : left_(left), right_(right) {}
  int64_t Evaluate(const Variables& variables) const override {
    return static_cast<int64_t>(Operation()(static_cast<uint64_t>(left_->Evaluate(variables)),
                                            static_cast<uint64_t>(right_->Evaluate(variables))));
  }
  int Size() const override { return 1 + left_->Size() + right_->Size(); }

 private:
  const Expression *left_, *right_;
};

class Choice final : public Expression {
 public:
  Choice(const Expression* condition, const Expression* yes, const Expression* no)
      : condition_(condition), yes_(yes), no_(no) {}
  int64_t Evaluate(const Variables& variables) const override {
    return (condition_->Evaluate(variables) < 0 ? yes_ : no_)->Evaluate(variables);
  }
  int Size() const override { return 1 + condition_->Size() + yes_->Size() + no_->Size(); }

 private:
  const Expression *condition_, *yes_, *no_;
};

struct Plus {
  uint64_t operator()(uint64_t a, uint64_t b) const { return a + b; }
};
struct Minus {
  uint64_t operator()(uint64_t a, uint64_t b) const { return a - b; }
};
struct Times {
  uint64_t operator()(uint64_t a, uint64_t b) const { return a * b; }
};
struct Mixed {
  uint64_t operator()(uint64_t a, uint64_t b) const { return a ^ b >> 7; }
};

const Expression* MakeExpression(Arena& arena, uint64_t& random, int depth) {
  const uint64_t dice = NextRandom(&random) >> 40;
  if (depth == 0) {
    if (dice % 3 == 0) return arena.Make<Constant>(static_cast<int64_t>(dice));
    return arena.Make<Variable>(dice % 8);
  }
  const Expression* const left = MakeExpression(arena, random, depth - 1);
  const int less = depth > 1 && (dice >> 8 & 1) != 0 ? 2 : 1;
  const Expression* const right = MakeExpression(arena, random, depth - less);
  switch (dice % 5) {
    case 0: return arena.Make<Binary<Plus>>(left, right);
    case 1: return arena.Make<Binary<Minus>>(left, right);
    case 2: return arena.Make<Binary<Times>>(left, right);
    case 3: return arena.Make<Binary<Mixed>>(left, right);
    default: return arena.Make<Choice>(left, right, MakeExpression(arena, random, depth - 1));
  }
}

// Objects that do something when their time has come and say when that is again.
class Actor {
 public:
  virtual uint64_t Act(uint64_t now) = 0;
  virtual uint64_t Result() const { return acts_; }
  uint64_t due() const { return due_; }
  void Step() {
    const uint64_t now = due_;
    ++acts_;
    due_ = now + 1 + Act(now);
  }

 private:
  uint64_t due_ = 0, acts_ = 0;
};

class Clock final : public Actor {
 public:
  explicit Clock(uint64_t period) : period_(period) {}
  uint64_t Act(uint64_t) override { return period_; }

 private:
  uint64_t period_;
};

class Walker final : public Actor {
 public:
  explicit Walker(uint64_t seed) : random_(seed) {}
  uint64_t Act(uint64_t now) override {
    place_ += NextRandom(&random_) >> 63 ? now : ~now;
    return random_ >> 58;
  }
  uint64_t Result() const override { return Actor::Result() ^ place_; }

 private:
  uint64_t random_, place_ = 0;
};

class Counter final : public Actor {
 public:
  explicit Counter(const Actor* watched) : watched_(watched) {}
  uint64_t Act(uint64_t now) override {
    sum_ += watched_->Result() + now;
    return sum_ & 31;
  }
  uint64_t Result() const override { return sum_; }

 private:
  const Actor* watched_;
  uint64_t sum_ = 0;
};

class Simulation {
 public:
  explicit Simulation(Arena& arena) {
    for (size_t i = 0; i < actors_.size(); i += 3) {
      actors_[i] = arena.Make<Clock>(7 + 3 * i);
      actors_[i + 1] = arena.Make<Walker>(i + 1);
      actors_[i + 2] = arena.Make<Counter>(actors_[i + 1]);
    }
  }

  uint64_t Run(int steps) {
    const auto later = [](const Actor* a, const Actor* b) { return a->due() > b->due(); };
    for (int i = 0; i < steps; ++i) {
      std::pop_heap(actors_.begin(), actors_.end(), later);
      actors_.back()->Step();
      std::push_heap(actors_.begin(), actors_.end(), later);
    }
    uint64_t sum = 0;
    for (const Actor* actor : actors_) sum += actor->Result();
    return sum;
  }

 private:
  // A heap, whose first is due next.
  std::array<Actor*, 24> actors_;
};

// A chain of filters for bytes.
class Filter {
 public:
  virtual void Put(unsigned char byte) = 0;
};

class Sum final : public Filter {
 public:
  void Put(unsigned char byte) override { sum_ = sum_ * 31 + byte; }
  uint64_t sum() const { return sum_; }

 private:
  uint64_t sum_ = 0;
};

class Doubler final : public Filter {
 public:
  explicit Doubler(Filter* next) : next_(next) {}
  void Put(unsigned char byte) override {
    next_->Put(byte);
    if (byte == '\n') next_->Put(byte);
  }

 private:
  Filter* next_;
};

class Capitals final : public Filter {
 public:
  explicit Capitals(Filter* next) : next_(next) {}
  void Put(unsigned char byte) override {
    next_->Put(begins_ && byte >= 'a' && byte <= 'z' ? static_cast<unsigned char>(byte - 'a' + 'A') : byte);
    begins_ = byte == ' ' || byte == '\n';
  }

 private:
  Filter* next_;
  bool begins_ = true;
};

uint64_t PutThrough(const char* text, size_t size, unsigned round) {
  Sum sum;
  Doubler doubler(&sum);
  Capitals capitals(&doubler);
  Filter* const first = round % 2 == 0 ? static_cast<Filter*>(&capitals) : &doubler;
  for (size_t i = 0; i < size; ++i) first->Put(static_cast<unsigned char>(text[i]));
  return sum.sum();
}

}  // namespace

extern "C" uint64_t Objects(unsigned rounds) {
  constexpr size_t kText = 1 << 16;
  static char text[kText];
  Arena arena;
  uint64_t random = 23, checksum = 0;
  MakeText(text, kText, 29);
  std::array<const Expression*, 16> expressions;
  for (const Expression*& expression : expressions) {
    expression = MakeExpression(arena, random, 8);
    checksum += static_cast<uint64_t>(expression->Size());
  }
  Simulation simulation(arena);
  Variables variables{};
  for (unsigned round = 0; round < rounds; ++round) {
    for (const Expression* expression : expressions) {
      const int64_t value = expression->Evaluate(variables);
      variables[(round + static_cast<uint64_t>(value)) % variables.size()] ^= value + round;
      checksum = Fold(checksum, static_cast<uint64_t>(value));
    }
    checksum = Fold(checksum, simulation.Run(4000));
    checksum = Fold(checksum, PutThrough(text, kText, round));
  }
  return checksum;
}
