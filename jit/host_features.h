// What the host's processor can do beyond plain x86-64.

#ifndef ISOCHRON_JIT_HOST_FEATURES_H_
#define ISOCHRON_JIT_HOST_FEATURES_H_

namespace isochron::jit {

// Instructions that translated code may use. None of them changes any result.
struct HostFeatures {
  bool bmi1 = false;  // ANDN, TZCNT
  bool bmi2 = false;  // SHLX, SHRX, SARX
  bool lzcnt = false;
  bool popcnt = false;

  // What this host has.
  static HostFeatures Detect();
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_HOST_FEATURES_H_
