#include "jit/list_code.h"

#ifdef ISOCHRON_CAPSTONE
#include <capstone/capstone.h>
#endif

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/disassemble.h"

namespace isochron::jit {
namespace {

constexpr const char* kHostNames[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

std::string RegisterLines(const RegisterMap& map) {
  std::string text;
  const auto append = [&text](const std::string& guest, const std::string& host) {
    absl::StrAppend(&text, text.empty() ? "  in registers: " : ", ", guest, " in ", host);
  };
  for (const RegisterMap::Assignment& a : map.integers()) {
    const bool shadow = a.place >= alpha::Cpu::kShadowBase;
    append(shadow ? absl::StrCat("shadow ", a.place - alpha::Cpu::kShadowBase)
                  : std::string(alpha::IntegerRegisterName(a.place)),
           kHostNames[a.host]);
  }
  for (const RegisterMap::Assignment& a : map.floats()) {
    append(absl::StrCat("$f", a.place), absl::StrCat("xmm", a.host));
  }
  return text.empty() ? text : text + "\n";
}

void AppendHostCode(std::span<const uint8_t> code, size_t offset, std::string& text) {
#ifdef ISOCHRON_CAPSTONE
  csh handle = 0;
  if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) return;
  cs_insn* instructions = nullptr;
  const size_t count = cs_disasm(handle, code.data(), code.size(), offset, 0, &instructions);
  for (size_t i = 0; i < count; ++i) {
    absl::StrAppendFormat(&text, "          %5x  %s %s\n", instructions[i].address,
                          instructions[i].mnemonic, instructions[i].op_str);
  }
  if (count != 0) cs_free(instructions, count);
  cs_close(&handle);
#else
  for (size_t i = 0; i < code.size(); ++i) {
    if (i % 16 == 0)
      absl::StrAppendFormat(&text, "%s          %5x ", i == 0 ? "" : "\n", offset + i);
    absl::StrAppendFormat(&text, " %02x", code[i]);
  }
  if (!code.empty()) absl::StrAppend(&text, "\n");
#endif
}

}  // namespace

std::string ListCode(const RegisterMap& map, std::span<const CodeMark> marks,
                     std::span<const uint8_t> code) {
  std::string text = RegisterLines(map);
  for (size_t i = 0; i + 1 < marks.size(); ++i) {
    const CodeMark& mark = marks[i];
    if (mark.kind == CodeMark::Kind::kInstruction) {
      absl::StrAppend(&text, "  ", alpha::ListedInstruction(mark.pc, mark.word), "\n");
    } else {
      absl::StrAppendFormat(&text, "  %016x  block\n", mark.pc & ~uint64_t{3});
    }
    AppendHostCode(code.subspan(mark.host, marks[i + 1].host - mark.host), mark.host, text);
  }
  return text;
}

}  // namespace isochron::jit
