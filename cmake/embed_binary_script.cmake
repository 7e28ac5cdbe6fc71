# Writes OUTPUT, a C++ file whose function FUNCTION returns the bytes of BINARY. Run by
# isochron_embed_binary() at build time.
file(READ ${BINARY} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n"
       bytes "${bytes}")
file(WRITE ${OUTPUT}
"#include <cstdint>
#include <span>

#include \"${HEADER}\"

namespace ${NAMESPACE} {

// NOLINTNEXTLINE(readability-function-size): bytes are no logic
std::span<const uint8_t> ${FUNCTION}() {
  static constexpr uint8_t kBytes[] = {
${bytes}
  };
  return kBytes;
}

}  // namespace ${NAMESPACE}
")
