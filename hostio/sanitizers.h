// What a build adds to the process that runs it.

#ifndef ISOCHRON_HOSTIO_SANITIZERS_H_
#define ISOCHRON_HOSTIO_SANITIZERS_H_

// GCC tells by macros; clang by __has_feature, which a header may have defined for GCC as well.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#ifdef __SANITIZE_ADDRESS__
#define ISOCHRON_ADDRESS_SANITIZER 1
#endif
#ifdef __SANITIZE_THREAD__
#define ISOCHRON_THREAD_SANITIZER 1
#endif
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ISOCHRON_ADDRESS_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer)
#define ISOCHRON_THREAD_SANITIZER 1
#endif
#endif

namespace isochron::hostio {

// Whether this is a build with AddressSanitizer, which keeps what has been freed and takes several
// times as long.
#ifdef ISOCHRON_ADDRESS_SANITIZER
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
// Whether this is one with ThreadSanitizer.
#ifdef ISOCHRON_THREAD_SANITIZER
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

}  // namespace isochron::hostio

#undef ISOCHRON_ADDRESS_SANITIZER
#undef ISOCHRON_THREAD_SANITIZER

#endif  // ISOCHRON_HOSTIO_SANITIZERS_H_
