#include "hostio/thread.h"

#include <signal.h>

#include <gtest/gtest.h>

namespace isochron::hostio {
namespace {

TEST(StartThreadTest, SignalsDoNotReachIt) {
  sigset_t blocked;
  sigemptyset(&blocked);
  absl::StatusOr<std::thread> thread =
      StartThread([&blocked] { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->join();
  for (int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ})
    EXPECT_EQ(sigismember(&blocked, signal), 1);
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

}  // namespace
}  // namespace isochron::hostio
