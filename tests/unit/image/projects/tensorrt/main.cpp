#include <NvInfer.h>

int main() { return 0; }
