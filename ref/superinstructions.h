// Sequences of operations that run at one go.

#ifndef ISOCHRON_REF_SUPERINSTRUCTIONS_H_
#define ISOCHRON_REF_SUPERINSTRUCTIONS_H_

#include <cstdint>
#include <span>

#include "alpha/cpu.h"
#include "ref/context.h"
#include "ref/handler.h"
#include "ref/operation.h"

namespace isochron::ref {

// The handlers of most instructions are made of forms: types with a member
//
//   template <typename Then> static void Run(Context&, const Operation*, Cpu&, uint64_t last);
//
// that is the handler when Then is Dispatch. With another Then, whose Next() knows what the next
// operation is, it is the first part of a superinstruction: the host finds no jump between the two
// that it would have to predict (Ertl and Gregg, "The Structure and Performance of Efficient
// Interpreters", JILP 5, 2003).
//
// A superinstruction changes the handler of its first operation alone. The others keep theirs, so
// that a slow path in the middle of it goes on with them.
struct Dispatch {
  static void Next(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t result = 0) {
    return isochron::ref::Next(context, op, cpu, result);
  }
};

template <typename Form>
inline constexpr Handler kHandler = Form::template Run<Dispatch>;

// So many operations at most.
inline constexpr uint32_t kLongestSuperinstruction = 5;

// Makes superinstructions of operations with the handlers that SelectHandler() gives, where
// ref/superinstructions.inc has one.
void JoinOperations(std::span<Operation> operations);

// The handler that an operation had before JoinOperations().
Handler HandlerBeforeJoining(Handler handler);

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_SUPERINSTRUCTIONS_H_
