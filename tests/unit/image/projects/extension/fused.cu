__global__ void add(float* x) { x[0] += 1; }
