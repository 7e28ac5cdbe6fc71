// The second serial port in loop-back mode, driven by interrupts: what is written is read again.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static void Check(int result, const char *what) {
  printf("%s: %s\n", what, result < 0 ? strerror(errno) : "done");
}

int main(void) {
  const int port = open("/dev/ttyS1", O_RDWR | O_NOCTTY | O_NONBLOCK);
  Check(port, "open");
  struct termios modes;
  tcgetattr(port, &modes);
  cfmakeraw(&modes);
  modes.c_cflag |= CLOCAL | CREAD;
  Check(tcsetattr(port, TCSANOW, &modes), "raw mode");
  const int loop = TIOCM_LOOP;
  Check(ioctl(port, TIOCMBIS, &loop), "loop-back");

  char sent[300], received[sizeof(sent)];
  for (size_t i = 0; i < sizeof(sent); ++i) sent[i] = (char)(i * 7 + 1);
  size_t written = 0, got = 0;
  struct pollfd wait = {.fd = port};
  while (got < sizeof(sent)) {
    wait.events = (short)(POLLIN | (written < sizeof(sent) ? POLLOUT : 0));
    if (poll(&wait, 1, 5000) <= 0) break;
    if (wait.revents & POLLIN) {
      const ssize_t count = read(port, received + got, sizeof(received) - got);
      if (count > 0) got += (size_t)count;
    } else {
      // Few enough for the receiver's FIFO.
      size_t chunk = sizeof(sent) - written < 10 ? sizeof(sent) - written : 10;
      if (written > got) {
        poll(NULL, 0, 1);
        continue;
      }
      const ssize_t count = write(port, sent + written, chunk);
      if (count > 0) written += (size_t)count;
    }
  }
  Check(tcdrain(port), "drain");
  printf("%zu bytes written, %zu read, %s\n", written, got,
         memcmp(sent, received, got) == 0 ? "equal" : "different");

  int lines = 0;
  Check(ioctl(port, TIOCMGET, &lines), "modem lines");
  printf("CTS %d, DSR %d, CD %d\n", !!(lines & TIOCM_CTS), !!(lines & TIOCM_DSR), !!(lines & TIOCM_CD));
  return 0;
}
