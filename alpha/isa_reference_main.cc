// Prints docs/isa.md.

#include <cstdio>

#include "alpha/isa_reference.h"

int main() {
  const std::string text = isochron::alpha::IsaReference();
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
