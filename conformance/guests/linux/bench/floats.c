// Floating-point programs. Only operations that IEEE 754 defines to the last bit have a say in the checksums.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static double RandomUnit(uint64_t *random) { return (double)(NextRandom(random) >> 11) * 0x1p-53; }

uint64_t MatrixProduct(unsigned rounds) {
  enum { kSize = 96 };
  static double a[kSize][kSize], b[kSize][kSize], c[kSize][kSize];
  uint64_t random = 1, checksum = 0;
  for (int i = 0; i < kSize; ++i) {
    for (int j = 0; j < kSize; ++j) {
      a[i][j] = RandomUnit(&random) - 0.5;
      b[i][j] = RandomUnit(&random) - 0.5;
    }
  }
  for (unsigned round = 0; round < rounds; ++round) {
    for (int i = 0; i < kSize; ++i) {
      for (int j = 0; j < kSize; ++j) {
        double sum = 0;
        for (int k = 0; k < kSize; ++k) sum += a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    }
    checksum = FoldDouble(checksum, c[round % kSize][kSize - 1 - round % kSize]);
    a[round % kSize][round * 7 % kSize] += 0.25;
  }
  return checksum;
}

struct Complex {
  double re, im;
};

// In place, radix 2, decimation in time. `turns` holds exp(-2 pi i k / size) for k < size / 2.
static void Transform(struct Complex *data, int size, const struct Complex *turns) {
  for (int i = 1, j = 0; i < size; ++i) {
    int bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      const struct Complex swap = data[i];
      data[i] = data[j];
      data[j] = swap;
    }
  }
  for (int half = 1; half < size; half *= 2) {
    for (int start = 0; start < size; start += 2 * half) {
      for (int k = 0; k < half; ++k) {
        const struct Complex turn = turns[k * (size / (2 * half))];
        struct Complex *even = &data[start + k], *odd = &data[start + k + half];
        const double re = odd->re * turn.re - odd->im * turn.im;
        const double im = odd->re * turn.im + odd->im * turn.re;
        odd->re = even->re - re;
        odd->im = even->im - im;
        even->re += re;
        even->im += im;
      }
    }
  }
}

// Sine and cosine of an angle below 4 by their series: those of C libraries are not the same to the last bit.
static struct Complex Turn(double angle) {
  struct Complex turn = {1, 0};
  double term = 1;
  for (int i = 1; i < 40; ++i) {
    term *= angle / i;
    double *part = i % 2 ? &turn.im : &turn.re;
    *part += i % 4 < 2 ? term : -term;
  }
  return turn;
}

uint64_t Fft(unsigned rounds) {
  enum { kSize = 4096 };
  static struct Complex data[kSize], turns[kSize / 2];
  uint64_t random = 2, checksum = 0;
  for (int k = 0; k < kSize / 2; ++k) {
    turns[k] = Turn(2 * M_PI * k / kSize);
    turns[k].im = -turns[k].im;
  }
  for (int i = 0; i < kSize; ++i) {
    data[i].re = RandomUnit(&random);
    data[i].im = 0;
  }
  for (unsigned round = 0; round < rounds; ++round) {
    Transform(data, kSize, turns);
    for (int i = 0; i < kSize; ++i) {
      data[i].re *= 1.0 / 64;
      data[i].im *= -1.0 / 64;
    }
    checksum = FoldDouble(checksum, data[round % kSize].re);
  }
  return checksum;
}

// Planets with division and square root in the inner loop.
uint64_t NBody(unsigned rounds) {
  enum { kBodies = 8, kSteps = 400 };
  struct Body {
    double position[3], velocity[3], mass;
  } bodies[kBodies];
  uint64_t random = 3, checksum = 0;
  for (int i = 0; i < kBodies; ++i) {
    for (int axis = 0; axis < 3; ++axis) {
      bodies[i].position[axis] = 10 * RandomUnit(&random) + 4 * i;
      bodies[i].velocity[axis] = RandomUnit(&random) - 0.5;
    }
    bodies[i].mass = 1 + RandomUnit(&random);
  }
  for (unsigned round = 0; round < rounds; ++round) {
    for (int step = 0; step < kSteps; ++step) {
      for (int i = 0; i < kBodies; ++i) {
        for (int j = i + 1; j < kBodies; ++j) {
          double delta[3], square = 0.01;
          for (int axis = 0; axis < 3; ++axis) {
            delta[axis] = bodies[i].position[axis] - bodies[j].position[axis];
            square += delta[axis] * delta[axis];
          }
          const double magnitude = 0.001 / (square * sqrt(square));
          for (int axis = 0; axis < 3; ++axis) {
            bodies[i].velocity[axis] -= delta[axis] * bodies[j].mass * magnitude;
            bodies[j].velocity[axis] += delta[axis] * bodies[i].mass * magnitude;
          }
        }
      }
      for (int i = 0; i < kBodies; ++i) {
        for (int axis = 0; axis < 3; ++axis) bodies[i].position[axis] += 0.001 * bodies[i].velocity[axis];
      }
    }
    checksum = FoldDouble(checksum, bodies[round % kBodies].position[round % 3]);
  }
  return checksum;
}

// Arithmetic in registers, with a comparison and a branch on it in each turn.
uint64_t Mandelbrot(unsigned rounds) {
  enum { kWidth = 160, kHeight = 100, kTurns = 100 };
  uint64_t checksum = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const double c_re = 3.0 * x / kWidth - 2.2 + 0.001 * round, c_im = 2.4 * y / kHeight - 1.2;
        double re = 0, im = 0;
        int turn = 0;
        while (turn < kTurns && re * re + im * im < 4) {
          const double next = re * re - im * im + c_re;
          im = 2 * re * im + c_im;
          re = next;
          ++turn;
        }
        checksum += (uint64_t)turn * (uint64_t)(x + y + 1);
      }
    }
    checksum = Fold(checksum, round);
  }
  return checksum;
}

// Small kernels as scientific programs have them: a stencil, a recurrence, a tridiagonal solver, an inner product, a
// first minimum, a gather by index.
enum { kVector = 2048 };

struct Vectors {
  double x[kVector], y[kVector], z[kVector], u[kVector];
  int32_t index[kVector];
};

static double Stencil(struct Vectors *v) {
  for (int i = 5; i < kVector - 5; ++i) {
    const double near = v->z[i] + 0.5 * v->y[i], far = v->u[i + 3] + 0.5 * (v->u[i + 2] + 0.5 * v->u[i - 1]);
    v->x[i] = v->u[i] + 0.5 * near + 0.25 * far;
  }
  return v->x[kVector / 2];
}

static double Recurrence(struct Vectors *v) {
  double last = v->x[0];
  for (int i = 1; i < kVector; ++i) {
    last = v->z[i] * (v->y[i] - 0.5 * last);
    v->x[i] = last;
  }
  return last;
}

static double Tridiagonal(struct Vectors *v) {
  v->u[0] = v->y[0] * 0.25;
  for (int i = 1; i < kVector; ++i) v->u[i] = (v->y[i] - v->u[i - 1]) / (4.0 + v->z[i]);
  for (int i = kVector - 2; i >= 0; --i) v->u[i] -= 0.25 * v->u[i + 1];
  return v->u[kVector / 3];
}

static double InnerProduct(const struct Vectors *v) {
  double sum = 0;
  for (int i = 0; i < kVector; ++i) sum += v->z[i] * v->y[i];
  return sum;
}

static int FirstMinimum(const double *values) {
  int minimum = 0;
  for (int i = 1; i < kVector; ++i) {
    if (values[i] < values[minimum]) minimum = i;
  }
  return minimum;
}

static double Gather(struct Vectors *v) {
  double sum = 0;
  for (int i = 0; i < kVector; ++i) {
    const int at = v->index[i];
    sum += v->y[at] * (double)at;
    v->index[i] = (int32_t)(v->z[at] * kVector);
  }
  return sum;
}

uint64_t Loops(unsigned rounds) {
  static struct Vectors v;
  uint64_t random = 4, checksum = 0;
  for (int i = 0; i < kVector; ++i) {
    v.x[i] = 0;
    v.y[i] = RandomUnit(&random);
    v.z[i] = RandomUnit(&random);
    v.u[i] = RandomUnit(&random);
    v.index[i] = (int32_t)(RandomUnit(&random) * kVector);
  }
  for (unsigned round = 0; round < rounds; ++round) {
    checksum = FoldDouble(checksum, Stencil(&v));
    checksum = FoldDouble(checksum, Recurrence(&v));
    checksum = FoldDouble(checksum, Tridiagonal(&v));
    checksum = FoldDouble(checksum, InnerProduct(&v));
    checksum = Fold(checksum, (uint64_t)FirstMinimum(v.x));
    checksum = FoldDouble(checksum, Gather(&v));
    v.y[round % kVector] = RandomUnit(&random);
  }
  return checksum;
}

// Single precision: rays against spheres.
uint64_t Single(unsigned rounds) {
  enum { kSpheres = 16, kWidth = 48, kHeight = 32 };
  float center[kSpheres][3], radius[kSpheres];
  uint64_t random = 6, checksum = 0;
  for (int i = 0; i < kSpheres; ++i) {
    for (int axis = 0; axis < 3; ++axis) center[i][axis] = (float)(6 * RandomUnit(&random) - 3);
    center[i][2] += 8;
    radius[i] = (float)(0.5 + RandomUnit(&random));
  }
  for (unsigned round = 0; round < rounds; ++round) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        float direction[3] = {(float)(x - kWidth / 2) / 32.0f, (float)(y - kHeight / 2) / 32.0f, 1.0f};
        const float length = sqrtf(direction[0] * direction[0] + direction[1] * direction[1] + 1.0f);
        float nearest = 1000.0f;
        for (int axis = 0; axis < 3; ++axis) direction[axis] /= length;
        for (int i = 0; i < kSpheres; ++i) {
          const float *c = center[i];
          const float b = direction[0] * c[0] + direction[1] * c[1] + direction[2] * c[2];
          const float rest = b * b - (c[0] * c[0] + c[1] * c[1] + c[2] * c[2]) + radius[i] * radius[i];
          if (rest <= 0.0f) continue;
          const float distance = b - sqrtf(rest);
          if (distance > 0.0f && distance < nearest) nearest = distance;
        }
        checksum = Fold(checksum, (uint64_t)(nearest * 1000.0f));
      }
    }
    center[round % kSpheres][round % 3] += 0.01f;
  }
  return checksum;
}
