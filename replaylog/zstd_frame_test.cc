#include "replaylog/zstd_frame.h"

#include <cstddef>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace isochron::replaylog {
namespace {

constexpr size_t kLong = 64 << 10;

std::string Noise(std::mt19937& random, size_t bytes) {
  std::string noise(bytes, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  return noise;
}

// Noise in which words of six bytes come again, each with another byte after it.
std::string WordsOfSix(size_t bytes) {
  std::mt19937 random(1);
  const std::string words = Noise(random, 512 * 6);
  std::string content;
  while (content.size() < bytes) {
    content += words.substr(random() % 512 * 6, 6);
    content += static_cast<char>(random());
  }
  content.resize(bytes);
  return content;
}

// The size of the frame with `content`, which must come out of it again.
size_t FrameBytes(const std::string& content) {
  const std::string frame(FrameCompressor().Compress(content).value());
  EXPECT_EQ(FrameChecksum(frame), ContentChecksum(content));
  std::string back;
  EXPECT_TRUE(FrameDecompressor().Decompress(frame, content.size(), back).ok());
  EXPECT_EQ(back, content);
  return frame.size();
}

TEST(FrameCompressorTest, NoiseCostsAFewBytes) {
  std::mt19937 random(2);
  EXPECT_LE(FrameBytes(Noise(random, kLong)), kLong + 32);
}

TEST(FrameCompressorTest, NoiseInFewLettersIsCompressed) {
  std::mt19937 random(3);
  std::string hex = Noise(random, kLong);
  for (char& byte : hex) byte = "0123456789abcdef"[byte & 15];
  EXPECT_LT(FrameBytes(hex), kLong * 6 / 10);
}

TEST(FrameCompressorTest, AShortFrameIsSearchedWell) {
  constexpr size_t kShort = kLong / 2 - 1;
  EXPECT_LT(FrameBytes(WordsOfSix(kShort)), kShort * 3 / 4);
}

TEST(FrameCompressorTest, ALongFrameWhoseQuickSearchFindsNothingStaysAsItIs) {
  EXPECT_GE(FrameBytes(WordsOfSix(kLong)), kLong);
}

TEST(FrameCompressorTest, ALongFrameThatHasAPartWorthItIsSearchedWell) {
  const std::string words = WordsOfSix(kLong * 3 / 4);
  const std::string part(kLong / 4, 'x');
  for (const size_t before : {size_t{0}, words.size() / 2, words.size()}) {
    const std::string content = words.substr(0, before) + part + words.substr(before);
    EXPECT_LT(FrameBytes(content), words.size() * 3 / 4) << before;
  }
}

// Whose bytes come again at a distance at which no piece sees them: what a search costs is spent on
// contents that show their worth soon.
TEST(FrameCompressorTest, ALongFrameWhosePiecesAreNoiseStaysAsItIs) {
  std::mt19937 random(5);
  const std::string half = Noise(random, kLong / 2);
  EXPECT_GE(FrameBytes(half + half), kLong);
}

TEST(FrameCompressorTest, ALongFrameOfOneByteBecomesSmall) {
  for (const size_t bytes : {kLong / 2, kLong, 8 * kLong}) {
    EXPECT_LT(FrameBytes(std::string(bytes, 'x')), bytes / 500) << bytes;
  }
}

TEST(FrameCompressorTest, WhatWasCompressedBeforeMakesNoDifference) {
  FrameCompressor compressor;
  const std::string words = WordsOfSix(kLong / 4);
  const std::string first(compressor.Compress(words).value());
  std::mt19937 random(4);
  (void)compressor.Compress(Noise(random, kLong));
  EXPECT_EQ(compressor.Compress(words).value(), first);
}

}  // namespace
}  // namespace isochron::replaylog
