// What builds and reports do: tools of BusyBox over a text of this program's making. The checksum is that of what they
// print.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define TEXT "bench-text"

static uint64_t RunTool(unsigned rounds, size_t text_size, const char *command) {
  char *text = Allocate(text_size);
  uint64_t checksum = 0;
  MakeText(text, text_size, 37);
  FILE *file = fopen(TEXT, "w");
  if (!file || fwrite(text, 1, text_size, file) != text_size || fclose(file) != 0) Die(TEXT);
  free(text);
  for (unsigned round = 0; round < rounds; ++round) {
    const char *const arguments[] = {"sh", "-e", "-o", "pipefail", "-c", command, NULL};
    int status = 0;
    checksum = FoldOutput(checksum, arguments, &status);
    if (status != 0) Die(command);
  }
  unlink(TEXT);
  return checksum;
}

// Counts words and reckons with their lengths, as scripts do that make a table of a log.
uint64_t Awk(unsigned rounds) {
  return RunTool(rounds, 32 << 10,
                 "awk '{ for (i = 1; i <= NF; ++i) { ++count[$i]; sum += length($i) * 1.5; last = substr($i, 2) last }"
                 " last = substr(last, 1, 40); if ($0 ~ /[aeiou]+[xyz]/) ++odd; gsub(/,/, \" , \"); fields += NF }"
                 " END { for (word in count) {"
                 " n += count[word]; if (count[word] > 9) print word, count[word] | \"sort\" }"
                 " close(\"sort\"); printf \"%d %d %.3f %d %d %s\\n\", NR, n, sum, odd, fields, last }' " TEXT);
}

// Sorts lines by a key in their middle, and words.
uint64_t TextSort(unsigned rounds) {
  return RunTool(rounds, 64 << 10,
                 "sort -k 3,3 -k 1,1r " TEXT " | tail -n 20; tr ' ' '\\n' <" TEXT " | sort | uniq -c | sed -n 1,50p");
}

// Packs and unpacks.
uint64_t Gzip(unsigned rounds) {
  return RunTool(rounds, 256 << 10,
                 "gzip -c <" TEXT " >" TEXT ".gz; wc -c <" TEXT ".gz; gunzip -c " TEXT ".gz | cmp - " TEXT
                 "; cksum <" TEXT "; rm " TEXT ".gz");
}

uint64_t Sha512(unsigned rounds) { return RunTool(rounds, 1 << 20, "sha512sum <" TEXT); }
