/* Contents: the few kernels of torch that are executed, at once: fills, strided copies, and random numbers on request.

   Found by their mangled names; where their arguments lie is read from torch's sources (ATen/native/cuda/CUDALoops.cuh,
   ATen/cuda/detail/OffsetCalculator.cuh, ATen/native/cuda/DistributionTemplates.h). Nothing is written unless sizes and
   addresses make sense, so that another torch with another layout leaves memory as it was. */
#include "null.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIMS = 25 }; /* of OffsetCalculator.cuh */
static const size_t MOST_ELEMENTS = 1 << 14; /* written one by one: more would take the host longer than a device */
static pthread_mutex_t PENDING = PTHREAD_MUTEX_INITIALIZER;

/* Bytes of the element type that a mangled name begins with; 0 where it is another. */
static size_t element_bytes(const char *type) {
  static const struct { const char *name; size_t bytes; } TYPES[] = {
      {"N3c107complexIfE", 8}, {"N3c107complexIdE", 16}, {"N3c104HalfE", 2}, {"N3c108BFloat16E", 2}};
  for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++)
    if (!strncmp(type, TYPES[i].name, strlen(TYPES[i].name))) return TYPES[i].bytes;
  switch (*type) {
  case 'd': case 'l': case 'm': return 8;
  case 'f': case 'i': case 'j': return 4;
  case 's': case 't': return 2;
  case 'a': case 'b': case 'h': return 1;
  default: return 0;
  }
}

static bool lies_in_a_block(const char *start, size_t bytes) {
  struct block block = block_at(start);
  return block.start && start + bytes <= block.start + block.bytes;
}

/* ---- fills: noted, and made when the memory is next looked at, since a host fills slower than a device ---- */
static struct pending { char *to; size_t bytes, size; char value[16]; } FILLS[64];
static int fills;

static void make_fill(int place) {
  struct pending fill = FILLS[place];
  memmove(&FILLS[place], &FILLS[place + 1], (--fills - place) * sizeof *FILLS);
  if (fill.size == 1) memset(fill.to, fill.value[0], fill.bytes);
  else
    for (size_t at = 0; at < fill.bytes; at += fill.size) memcpy(fill.to + at, fill.value, fill.size);
}

static bool overlaps(const struct pending *fill, const char *start, size_t bytes) {
  return fill->to < start + bytes && start < fill->to + fill->bytes;
}

void make_fills(const void *start, size_t bytes) {
  pthread_mutex_lock(&PENDING);
  for (int place = 0; place < fills;)
    if (overlaps(&FILLS[place], start, bytes)) make_fill(place);
    else place++;
  pthread_mutex_unlock(&PENDING);
}

void forget_fills(const void *start, size_t bytes) {
  pthread_mutex_lock(&PENDING);
  for (int place = fills - 1; place >= 0; place--)
    if (overlaps(&FILLS[place], start, bytes)) memmove(&FILLS[place], &FILLS[place + 1], (--fills - place) * sizeof *FILLS);
  pthread_mutex_unlock(&PENDING);
}

static bool fill(char *to, const char *value, size_t size, size_t count) {
  struct pending made = {.to = to, .bytes = count * size, .size = size};
  if (size > sizeof made.value || !lies_in_a_block(to, made.bytes)) return false;
  memcpy(made.value, value, size);
  pthread_mutex_lock(&PENDING);
  for (int place = fills - 1; place >= 0; place--)
    if (FILLS[place].to >= to && FILLS[place].to + FILLS[place].bytes <= to + made.bytes) /* all of it is written over */
      memmove(&FILLS[place], &FILLS[place + 1], (--fills - place) * sizeof *FILLS);
  if (fills == sizeof FILLS / sizeof *FILLS) make_fill(0);
  FILLS[fills++] = made;
  pthread_mutex_unlock(&PENDING);
  return true;
}

void fill_bytes(void *to, int value, size_t bytes) {
  char byte = (char)value;
  fill(to, &byte, 1, bytes);
}

/* ---- strided: a functor that holds an offset calculator, addresses, and what to write ---- */
struct divider { uint32_t size, magic, shift; };
struct strided { const uint32_t *strides; const struct divider *sizes; int dims, operands; char *const *data; const char *value; };

static bool read_strided(const char *functor, int operands, size_t count, struct strided *found) {
  const int32_t *dims = (const int32_t *)functor;
  size_t sizes_at = sizeof(int32_t), strides_at = sizes_at + MOST_DIMS * sizeof(struct divider);
  size_t data_at = (strides_at + (size_t)MOST_DIMS * operands * sizeof(uint32_t) + 7) & ~(size_t)7;
  if (*dims < 1 || *dims > MOST_DIMS) return false;
  *found = (struct strided){.dims = *dims, .operands = operands, .sizes = (const struct divider *)(functor + sizes_at),
                            .strides = (const uint32_t *)(functor + strides_at), .data = (char *const *)(functor + data_at),
                            .value = functor + data_at + operands * sizeof(char *)};
  size_t product = 1;
  for (int dim = 0; dim < *dims; dim++) product *= found->sizes[dim].size;
  return product == count;
}

static size_t offset(const struct strided *at, size_t index, int operand) {
  size_t bytes = 0;
  for (int dim = 0; dim < at->dims; dim++) {
    bytes += index % at->sizes[dim].size * at->strides[dim * at->operands + operand];
    index /= at->sizes[dim].size;
  }
  return bytes;
}

static bool write_strided(const char *functor, bool copies, size_t size, size_t count) {
  struct strided at;
  if (count > MOST_ELEMENTS || !read_strided(functor, copies ? 2 : 1, count, &at)) return false;
  for (int operand = 0; operand < at.operands; operand++)
    if (!lies_in_a_block(at.data[operand], offset(&at, count - 1, operand) + size)) return false;
  for (int operand = 0; operand < at.operands; operand++) make_fills(at.data[operand], offset(&at, count - 1, operand) + size);
  for (size_t i = 0; i < count; i++)
    memcpy(at.data[0] + offset(&at, i, 0), copies ? at.data[1] + offset(&at, i, 1) : at.value, size);
  return true;
}

/* ---- random numbers: not those of a GPU, but the same for the same seed and offset of torch's generator ---- */
static uint64_t state;
static double uniform(void) { /* splitmix64 (Steele, Lea, Flood 2014) */
  uint64_t bits = state += 0x9E3779B97F4A7C15u;
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EBu;
  return ((bits ^ bits >> 31) >> 11) * 0x1p-53 + 0x1p-54;
}
static double normal(void) { return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()); }

static void put_real(char *to, double value, size_t size, bool brain) {
  float single = (float)value;
  uint32_t bits;
  memcpy(&bits, &single, 4);
  uint16_t upper = bits >> 16; /* bfloat16 is the upper half of a float */
  _Float16 half = (_Float16)single;
  memcpy(to, size == 8 ? (void *)&value : size == 4 ? (void *)&single : brain ? (void *)&upper : (void *)&half, size);
}

struct transform { char *out; int32_t stride; uint64_t range; int64_t base; }; /* the last two of whole numbers only */

static bool draw(const char *name, void **arguments) {
  const struct transform *how = arguments[3];
  size_t count = *(int64_t *)arguments[0], size = how->stride;
  bool is_normal = strstr(name, "DistributionNormal"), is_uniform = strstr(name, "DistributionUniform");
  bool is_whole = strstr(name, "random_from_to_kernel"), is_brain = strstr(name, "BFloat16");
  if (!(is_normal || is_uniform || is_whole) || (size != 8 && size != 4 && size != 2 && !(size == 1 && is_whole))) return false;
  if (!lies_in_a_block(how->out, count * size)) return false;
  if (is_whole && !how->range) return false;
  forget_fills(how->out, count * size);
  const uint64_t *seed_offset = arguments[1]; /* PhiloxCudaState */
  state = seed_offset[0] * 0x2545F4914F6CDD1Du + seed_offset[1];
  for (size_t i = 0; i < count; i++) {
    int64_t whole = is_whole ? how->base + (int64_t)(uniform() * how->range) : 0;
    if (is_whole) memcpy(how->out + i * size, &whole, size);
    else put_real(how->out + i * size, is_normal ? normal() : uniform(), size, is_brain);
  }
  return true;
}

bool execute(const char *name, void **arguments) {
  const char *filled = strstr(name, "FillFunctorI"), *copied = strstr(name, "direct_copy_kernel_cuda");
  bool is_plain = strstr(name, "St5arrayIPcLm1E") != NULL, is_strided = strstr(name, "gpu_kernel_impl_nocast") != NULL;
  if (strstr(name, "distribution_elementwise_grid_stride_kernel")) return SET.random && draw(name, arguments);
  if (filled) {
    size_t size = element_bytes(filled + strlen("FillFunctorI"));
    if (size && is_strided) return write_strided(arguments[1], false, size, *(int32_t *)arguments[0]);
    return size && is_plain && fill(*(char **)arguments[2], arguments[1], size, *(int32_t *)arguments[0]);
  }
  if (copied && is_strided) { /* the lambda that copies an element is the first behind that name: …EUlfE_ */
    const char *argument = strstr(copied, "EUl");
    size_t size = argument ? element_bytes(argument + strlen("EUl")) : 0;
    return size && write_strided(arguments[1], true, size, *(int32_t *)arguments[0]);
  }
  return false;
}
