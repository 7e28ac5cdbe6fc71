// Registers as the calling standard of OSF/1 and Linux for Alpha uses them.

#ifndef ISOCHRON_DEBUG_CALLING_STANDARD_H_
#define ISOCHRON_DEBUG_CALLING_STANDARD_H_

namespace isochron::debug {

inline constexpr int kResultRegister = 0;  // v0
inline constexpr int kFirstArgument = 16;  // a0
inline constexpr int kArguments = 6;       // of those in registers
inline constexpr int kErrorFlag = 19;      // a3, of a system call
inline constexpr int kReturnAddress = 26;  // ra
inline constexpr int kStackPointer = 30;   // sp

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_CALLING_STANDARD_H_
