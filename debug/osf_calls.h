// CALL_PAL functions of the OSF/1 PALcode that readers of a run look for (docs/palcode.md).

#ifndef ISOCHRON_DEBUG_OSF_CALLS_H_
#define ISOCHRON_DEBUG_OSF_CALLS_H_

#include <cstdint>

namespace isochron::debug::osf {

inline constexpr uint32_t kHalt = 0x00;
inline constexpr uint32_t kSwppal = 0x0a;
inline constexpr uint32_t kSwpctx = 0x30;
inline constexpr uint32_t kRetsys = 0x3d;
inline constexpr uint32_t kRti = 0x3f;
inline constexpr uint32_t kBpt = 0x80;
inline constexpr uint32_t kBugchk = 0x81;
inline constexpr uint32_t kCallsys = 0x83;
inline constexpr uint32_t kUrti = 0x92;
inline constexpr uint32_t kGentrap = 0xaa;

}  // namespace isochron::debug::osf

#endif  // ISOCHRON_DEBUG_OSF_CALLS_H_
