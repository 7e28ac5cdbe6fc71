#include "hostio/memory_limit.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "hostio/temporary_directory.h"

namespace isochron::hostio {
namespace {

class MemoryLimitTest : public testing::Test {
 protected:
  void Put(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  uint64_t Bytes() { return HostMemoryLimit(root_).bytes; }

  const TemporaryDirectory directory_;  // of this test alone: ctest runs several at once
  const std::string root_ = directory_.path();
};

TEST_F(MemoryLimitTest, IsTheHostsWithoutControlGroups) {
  EXPECT_GT(Bytes(), uint64_t{1} << 26);
  EXPECT_FALSE(HostMemoryLimit(root_).of_control_group);
}

TEST_F(MemoryLimitTest, IsTheLeastOfTheGroupsAround) {
  Put("/proc/self/cgroup", "0::/a/b\n");
  Put("/sys/fs/cgroup/a/b/memory.max", "max\n");
  EXPECT_FALSE(HostMemoryLimit(root_).of_control_group);
  Put("/sys/fs/cgroup/a/memory.max", "33554432\n");
  EXPECT_EQ(Bytes(), 33554432u);
  EXPECT_TRUE(HostMemoryLimit(root_).of_control_group);
  Put("/sys/fs/cgroup/memory.max", "16777216\n");
  EXPECT_EQ(Bytes(), 16777216u);
  Put("/sys/fs/cgroup/a/b/memory.max", "8388608\n");
  EXPECT_EQ(Bytes(), 8388608u);
}

TEST_F(MemoryLimitTest, KnowsTheFirstVersion) {
  Put("/proc/self/cgroup", "4:cpu,cpuacct:/x\n3:memory:/x\n1:name=systemd:/y\n");
  Put("/sys/fs/cgroup/memory/x/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_FALSE(HostMemoryLimit(root_).of_control_group);
  Put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4194304\n");
  EXPECT_EQ(Bytes(), 4194304u);
}

TEST_F(MemoryLimitTest, GroupsThatAreNotMountedCountAsTheMountsRoot) {
  Put("/proc/self/cgroup", "0::/../elsewhere\n");
  Put("/sys/fs/cgroup/memory.max", "12582912\n");
  EXPECT_EQ(Bytes(), 12582912u);
}

}  // namespace
}  // namespace isochron::hostio
