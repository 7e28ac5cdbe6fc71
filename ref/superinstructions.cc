#include "ref/superinstructions.h"

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "alpha/float_format.h"
#include "alpha/ieee_float.h"
#include "alpha/integer.h"
#include "ref/control_forms.h"
#include "ref/float_forms.h"
#include "ref/integer_forms.h"
#include "ref/memory_forms.h"

namespace isochron::ref {
namespace {

// The names of ref/superinstructions.inc.
constexpr Reuse N = Reuse::kNothing;
constexpr Reuse A = Reuse::kA;
constexpr Reuse B = Reuse::kB;

// NOLINTBEGIN(bugprone-macro-parentheses): names of types
#define ISOCHRON_OPERATE(Name) \
  template <Reuse kReuse>      \
  using Name = Operate<alpha::Name, false, kReuse>;
#define ISOCHRON_LITERAL(Name) \
  template <Reuse kReuse>      \
  using Name##Literal = Operate<alpha::Name, true, kReuse>;
#define ISOCHRON_FLOAT(Name) using Name = FloatOperate<alpha::Name>;
#define ISOCHRON_BRANCH(Name, Condition) \
  template <Reuse kReuse>                \
  using Name = ConditionalBranch<alpha::Condition, false, kReuse>;
// NOLINTEND(bugprone-macro-parentheses)

ISOCHRON_OPERATE(Addl)
ISOCHRON_OPERATE(Addq)
ISOCHRON_OPERATE(And)
ISOCHRON_OPERATE(Bic)
ISOCHRON_OPERATE(Bis)
ISOCHRON_OPERATE(Cmpeq)
ISOCHRON_OPERATE(Cmple)
ISOCHRON_OPERATE(Cmplt)
ISOCHRON_OPERATE(Cmpule)
ISOCHRON_OPERATE(Cmpult)
ISOCHRON_OPERATE(Extbl)
ISOCHRON_OPERATE(Extqh)
ISOCHRON_OPERATE(Extql)
ISOCHRON_OPERATE(Extwl)
ISOCHRON_OPERATE(Insbl)
ISOCHRON_OPERATE(Inswl)
ISOCHRON_OPERATE(Mskbl)
ISOCHRON_OPERATE(Mskwl)
ISOCHRON_OPERATE(Mull)
ISOCHRON_OPERATE(Mulq)
ISOCHRON_OPERATE(S4addq)
ISOCHRON_OPERATE(S8addq)
ISOCHRON_OPERATE(Sextw)
ISOCHRON_OPERATE(Sll)
ISOCHRON_OPERATE(Srl)
ISOCHRON_OPERATE(Subl)
ISOCHRON_OPERATE(Subq)
ISOCHRON_OPERATE(Umulh)
ISOCHRON_OPERATE(Xor)
ISOCHRON_LITERAL(Addl)
ISOCHRON_LITERAL(Addq)
ISOCHRON_LITERAL(And)
ISOCHRON_LITERAL(Cmpeq)
ISOCHRON_LITERAL(Cmple)
ISOCHRON_LITERAL(Cmpule)
ISOCHRON_LITERAL(S4addq)
ISOCHRON_LITERAL(Sll)
ISOCHRON_LITERAL(Sra)
ISOCHRON_LITERAL(Srl)
ISOCHRON_LITERAL(Subl)
ISOCHRON_LITERAL(Subq)
ISOCHRON_LITERAL(Zapnot)
ISOCHRON_FLOAT(Adds)
ISOCHRON_FLOAT(Addt)
ISOCHRON_FLOAT(Cmptle)
ISOCHRON_FLOAT(Cmptlt)
ISOCHRON_FLOAT(Cpys)
ISOCHRON_FLOAT(Cvtst)
ISOCHRON_FLOAT(Muls)
ISOCHRON_FLOAT(Mult)
ISOCHRON_FLOAT(Subs)
ISOCHRON_FLOAT(Subt)
ISOCHRON_BRANCH(Beq, IsEqual)
ISOCHRON_BRANCH(Bgt, IsGreater)
ISOCHRON_BRANCH(Blbc, IsLowBitClear)
ISOCHRON_BRANCH(Bne, IsNotEqual)

template <Reuse kReuse>
using Lda = LoadAddress<kReuse>;
template <Reuse kReuse>
using Ldbu = Load<uint8_t, ZeroExtend<uint8_t>, kReuse>;
template <Reuse kReuse>
using Ldwu = Load<uint16_t, ZeroExtend<uint16_t>, kReuse>;
template <Reuse kReuse>
using Ldl = Load<uint32_t, SignExtendLong, kReuse>;
template <Reuse kReuse>
using Ldq = Load<uint64_t, ZeroExtend<uint64_t>, kReuse>;
template <Reuse kReuse>
using LdqU = LoadUnaligned<kReuse>;
template <Reuse kReuse>
using Stb = Store<uint8_t, kReuse>;
template <Reuse kReuse>
using Stl = Store<uint32_t, kReuse>;
template <Reuse kReuse>
using Stq = Store<uint64_t, kReuse>;
template <Reuse kReuse>
using StqU = StoreUnaligned<kReuse>;
using Lds = FloatLoad<uint32_t, alpha::LoadS>;
using Ldt = FloatLoad<uint64_t, ZeroExtend<uint64_t>>;
using Stt = FloatStore<uint64_t, Truncate<uint64_t>>;
using Br = Branch;

template <typename... Rest>
struct Straight;
// What a form goes on with before these.
template <typename... Rest>
using Before = std::conditional_t<sizeof...(Rest) == 0, Dispatch, Straight<Rest...>>;

template <typename Form, typename... Rest>
struct Straight<Form, Rest...> {
  static void Next(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t result = 0) {
    return Form::template Run<Before<Rest...>>(context, op + 1, cpu, result);
  }
};

// Finds superinstructions by their parts, one after the other.
class Finder {
 public:
  Finder() {
#define ISOCHRON_SUPERINSTRUCTION(...) AddRow<__VA_ARGS__>();
#include "ref/superinstructions.inc"
#undef ISOCHRON_SUPERINSTRUCTION
  }

  // The longest that `operations` begin with: how many are its parts, or 0.
  uint32_t Find(std::span<const Operation> operations, Handler& joined) const {
    uint32_t longest = 0;
    uint32_t place = kStart;
    for (uint32_t i = 0; i < operations.size(); ++i) {
      const auto found = places_.find({place, operations[i].handler});
      if (found == places_.end()) break;
      place = found->second;
      if (joined_[place] == nullptr) continue;
      joined = joined_[place];
      longest = i + 1;
    }
    return longest;
  }

  Handler First(Handler handler) const {
    const auto found = first_.find(handler);
    return found == first_.end() ? handler : found->second;
  }

 private:
  // What has been seen of a sequence: a place, and the handler that leads from it to the next.
  struct Step {
    uint32_t place;
    Handler handler;
    friend bool operator==(const Step&, const Step&) = default;
  };
  struct Hash {
    size_t operator()(const Step& step) const {
      return std::hash<Handler>()(step.handler) ^ step.place * 0x9e37'79b9'7f4a'7c15;
    }
  };
  static constexpr uint32_t kStart = 0;

  template <typename First, typename... Rest>
  void AddRow() {
    static_assert(sizeof...(Rest) >= 1 && sizeof...(Rest) < kLongestSuperinstruction);
    Add({kHandler<First>, kHandler<Rest>...}, First::template Run<Straight<Rest...>>);
  }

  void Add(std::initializer_list<Handler> parts, Handler joined) {
    uint32_t place = kStart;
    for (const Handler part : parts) {
      const auto [next, added] =
          places_.try_emplace({place, part}, static_cast<uint32_t>(joined_.size()));
      if (added) joined_.push_back(nullptr);
      place = next->second;
    }
    joined_[place] = joined;
    first_[joined] = *parts.begin();
  }

  std::unordered_map<Step, uint32_t, Hash> places_;
  std::vector<Handler> joined_{nullptr};  // by place; nullptr: none ends there
  std::unordered_map<Handler, Handler> first_;
};

const Finder& TheFinder() {
  static const Finder finder;
  return finder;
}

}  // namespace

void JoinOperations(std::span<Operation> operations) {
  const Finder& finder = TheFinder();
  while (!operations.empty()) {
    const uint32_t count = finder.Find(operations, operations[0].handler);
    operations = operations.subspan(count == 0 ? 1 : count);
  }
}

Handler HandlerBeforeJoining(Handler handler) { return TheFinder().First(handler); }

}  // namespace isochron::ref
