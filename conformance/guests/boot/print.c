#include "console.h"

void print(const char* text) {
  u64 length = 0;
  while (text[length]) ++length;
  while (length > 0) {
    const u64 done = dispatch(kPuts, 0, (u64)text, length, 0) & 0x7fffffff;
    text += done;
    length -= done;
  }
}

void print_hex(u64 value) {
  char text[17];
  for (int i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
  text[16] = 0;
  print(text);
}
