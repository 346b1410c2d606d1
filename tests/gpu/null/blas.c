/* cuBLAS and cuBLASLt: each product is one launch that takes 2mnk FLOP at TFLOPS, and no less than a kernel. */
#include "null.h"
#include <cupti_runtime_cbid.h>
#include <stdlib.h>

enum { CUBLAS_OK = 0, CUBLAS_FAILED = 13 };
struct handle { cudaStream_t stream; int math, pointers; };

EXPORT int cublasCreate_v2(struct handle **handle) { return *handle = calloc(1, sizeof **handle), CUBLAS_OK; }
EXPORT int cublasDestroy_v2(struct handle *handle) { return free(handle), CUBLAS_OK; }
EXPORT int cublasSetStream_v2(struct handle *handle, cudaStream_t stream) { return handle->stream = stream, CUBLAS_OK; }
EXPORT int cublasSetWorkspace_v2(struct handle *handle UNUSED, void *memory UNUSED, size_t bytes UNUSED) { return CUBLAS_OK; }
EXPORT int cublasSetSmCountTarget(struct handle *handle UNUSED, int count UNUSED) { return CUBLAS_OK; }
EXPORT int cublasSetMathMode(struct handle *handle, int mode) { return handle->math = mode, CUBLAS_OK; }
EXPORT int cublasGetMathMode(struct handle *handle, int *mode) { return *mode = handle->math, CUBLAS_OK; }
EXPORT int cublasSetPointerMode_v2(struct handle *handle, int mode) { return handle->pointers = mode, CUBLAS_OK; }
EXPORT int cublasGetPointerMode_v2(struct handle *handle, int *mode) { return *mode = handle->pointers, CUBLAS_OK; }

static int product(cudaStream_t stream, double m, double n, double k) {
  API_CALL(cudaLaunchKernel_v7000);
  double us = 2 * m * n * k / (SET.tflops * 1e6);
  struct work work = {.kind = PRODUCT, .us = us > SET.kernel_us ? us : SET.kernel_us, .name = "null_product", .grid = {132, 1, 1}, .block = {256, 1, 1}};
  trace("product of %.0f by %.0f by %.0f, %.1f us", m, n, k, work.us);
  holds_a_result(true);
  return submit(stream, work, SET.launch_us) ? CUBLAS_FAILED : CUBLAS_OK;
}

/* Arguments behind the sixth differ and are not looked at: callers put them where nobody reads them. */
EXPORT int null_gemm(struct handle *handle, int a UNUSED, int b UNUSED, int m, int n, int k) { return product(handle->stream, m, n, k); }
EXPORT int null_blas(struct handle *handle) { return product(handle->stream, 1, 1, 1); }
#define GEMM(name) EXPORT int name(struct handle *, int, int, int, int, int) __attribute__((alias("null_gemm")));
#define BLAS(name) EXPORT int name(struct handle *) __attribute__((alias("null_blas")));
#define OF_FOUR(kind, name) kind(cublasS##name) kind(cublasD##name) kind(cublasC##name) kind(cublasZ##name)
OF_FOUR(GEMM, gemm_v2) OF_FOUR(GEMM, gemmStridedBatched) GEMM(cublasSgemmEx) GEMM(cublasGemmEx) GEMM(cublasGemmStridedBatchedEx)
OF_FOUR(BLAS, gemv_v2) OF_FOUR(BLAS, trsm_v2) OF_FOUR(BLAS, trsmBatched) OF_FOUR(BLAS, getrfBatched) OF_FOUR(BLAS, getrsBatched)
OF_FOUR(BLAS, geqrfBatched) OF_FOUR(BLAS, gelsBatched)
BLAS(cublasSdot_v2) BLAS(cublasDdot_v2) BLAS(cublasCdotc_v2) BLAS(cublasCdotu_v2) BLAS(cublasZdotc_v2) BLAS(cublasZdotu_v2) BLAS(cublasDotEx)

struct layout { uint64_t rows, columns; };
EXPORT size_t cublasLtGetVersion(void) { return 130100; }
EXPORT int cublasLtCreate(void **handle) { return *handle = calloc(1, 8), CUBLAS_OK; }
EXPORT int cublasLtMatmulDescCreate(void **made, int compute UNUSED, int scale UNUSED) { return *made = calloc(1, 8), CUBLAS_OK; }
EXPORT int cublasLtMatmulDescDestroy(void *made) { return free(made), CUBLAS_OK; }
EXPORT int cublasLtMatmulDescSetAttribute(void *made UNUSED, int which UNUSED, const void *value UNUSED, size_t bytes UNUSED) { return CUBLAS_OK; }
EXPORT int cublasLtMatmulPreferenceCreate(void **made) { return *made = calloc(1, 8), CUBLAS_OK; }
EXPORT int cublasLtMatmulPreferenceDestroy(void *made) { return free(made), CUBLAS_OK; }
EXPORT int cublasLtMatmulPreferenceSetAttribute(void *made UNUSED, int which UNUSED, const void *value UNUSED, size_t bytes UNUSED) { return CUBLAS_OK; }
EXPORT int cublasLtMatrixLayoutCreate(struct layout **made, int type UNUSED, uint64_t rows, uint64_t columns, int64_t stride UNUSED) {
  *made = malloc(sizeof **made);
  **made = (struct layout){rows, columns};
  return CUBLAS_OK;
}
EXPORT int cublasLtMatrixLayoutDestroy(struct layout *made) { return free(made), CUBLAS_OK; }
EXPORT int cublasLtMatrixLayoutSetAttribute(struct layout *made UNUSED, int which UNUSED, const void *value UNUSED, size_t bytes UNUSED) { return CUBLAS_OK; }
EXPORT int cublasLtMatmulAlgoGetHeuristic(void *handle UNUSED, void *how UNUSED, void *a UNUSED, void *b UNUSED, void *c UNUSED, void *d UNUSED,
                                          void *preference UNUSED, int wanted UNUSED, char *results, int *count) {
  for (int i = 0; i < 96; i++) results[i] = 0; /* sizeof(cublasLtMatmulHeuristicResult_t): the first one, of status 0 */
  *count = 1;
  return CUBLAS_OK;
}
EXPORT int cublasLtMatmul(void *handle UNUSED, void *how UNUSED, const void *alpha UNUSED, const void *A UNUSED, struct layout *a,
                          const void *B UNUSED, struct layout *b UNUSED, const void *beta UNUSED, const void *C UNUSED, struct layout *c UNUSED,
                          void *D UNUSED, struct layout *d, const void *algorithm UNUSED, void *memory UNUSED, size_t bytes UNUSED,
                          cudaStream_t stream) {
  double k = (double)a->rows * a->columns / (d->rows ? d->rows : 1);
  return product(stream, d->rows, d->columns, k);
}
