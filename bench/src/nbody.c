/* Five bodies under gravity, in f64. */
#include "bench.h"
typedef struct body {
    double x, y, z, vx, vy, vz, mass;
} body;
static const body start[5] = {
    {0, 0, 0, 0, 0, 0, 39.478},
    {4.841, -1.160, -0.103, 0.606, 2.811, -0.025, 0.0377},
    {8.343, 4.124, -0.403, -1.010, 1.825, 0.0084, 0.0113},
    {12.894, -15.111, -0.223, 1.082, 0.868, -0.0108, 0.0017},
    {15.379, -25.919, 0.179, 0.979, 0.594, -0.0347, 0.0020},
};
static body b[5];
static NOINLINE void advance(double dt) {
    for (int i = 0; i < 5; i++)
        for (int j = i + 1; j < 5; j++) {
            double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
            double square = dx * dx + dy * dy + dz * dz;
            double force = dt / (square * __builtin_sqrt(square));
            b[i].vx -= dx * b[j].mass * force;
            b[i].vy -= dy * b[j].mass * force;
            b[i].vz -= dz * b[j].mass * force;
            b[j].vx += dx * b[i].mass * force;
            b[j].vy += dy * b[i].mass * force;
            b[j].vz += dz * b[i].mass * force;
        }
    for (int i = 0; i < 5; i++) {
        b[i].x += dt * b[i].vx;
        b[i].y += dt * b[i].vy;
        b[i].z += dt * b[i].vz;
    }
}
RUN i32 run(i32 n) {
    for (int i = 0; i < 5; i++) b[i] = start[i];
    for (i32 i = 0; i < n; i++) advance(0.001);
    return (i32)(b[0].x * 1e7 + b[1].y * 1e6 + b[4].z * 1e5);
}
