/* Modules: code that is compiled while a program runs, as Triton's. Loaded and launched by the driver's API, not executed. */
#include "null.h"
#include <cuda.h>
#include <cupti_driver_cbid.h>
#include <stdlib.h>
#include <string.h>

struct CUfunc_st { char *name; };

EXPORT CUresult cuModuleLoadData(CUmodule *module, const void *image UNUSED) { return *module = calloc(1, 8), CUDA_SUCCESS; }
EXPORT CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count UNUSED, CUjit_option *names UNUSED, void **values UNUSED) {
  return cuModuleLoadData(module, image);
}
EXPORT CUresult cuModuleUnload(CUmodule module) { return free(module), CUDA_SUCCESS; }
EXPORT CUresult cuModuleGetFunction(CUfunction *function, CUmodule module UNUSED, const char *name) {
  *function = malloc(sizeof **function);
  (*function)->name = strdup(name);
  return CUDA_SUCCESS;
}
EXPORT CUresult cuFuncGetAttribute(int *value, CUfunction_attribute which, CUfunction function UNUSED) {
  *value = which == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? 1024 : which == CU_FUNC_ATTRIBUTE_NUM_REGS ? 32 : 0;
  return CUDA_SUCCESS;
}
EXPORT CUresult cuFuncSetAttribute(CUfunction function UNUSED, CUfunction_attribute which UNUSED, int value UNUSED) { return CUDA_SUCCESS; }
EXPORT CUresult cuFuncSetCacheConfig(CUfunction function UNUSED, CUfunc_cache config UNUSED) { return CUDA_SUCCESS; }
EXPORT CUresult cuCtxGetLimit(size_t *value, CUlimit which UNUSED) { return *value = 1024, CUDA_SUCCESS; }
EXPORT CUresult cuCtxSetLimit(CUlimit which UNUSED, size_t value UNUSED) { return CUDA_SUCCESS; }

static CUresult launch(CUfunction function, dim3 grid, dim3 block, CUstream stream) {
  struct work work = {.kind = KERNEL, .us = SET.kernel_us, .name = function->name, .grid = grid, .block = block};
  trace("kernel %.160s, %.1f us on %p", function->name, work.us, (void *)stream);
  holds_a_result(true);
  return (CUresult)submit((cudaStream_t)stream, work, SET.launch_us);
}
EXPORT CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
                               unsigned block_z, unsigned shared UNUSED, CUstream stream, void **arguments UNUSED, void **extra UNUSED) {
  DRIVER_CALL(cuLaunchKernel);
  return launch(function, (dim3){grid_x, grid_y, grid_z}, (dim3){block_x, block_y, block_z}, stream);
}
EXPORT CUresult cuLaunchKernelEx(const CUlaunchConfig *how, CUfunction function, void **arguments UNUSED, void **extra UNUSED) {
  DRIVER_CALL(cuLaunchKernelEx);
  return launch(function, (dim3){how->gridDimX, how->gridDimY, how->gridDimZ}, (dim3){how->blockDimX, how->blockDimY, how->blockDimZ}, how->hStream);
}
