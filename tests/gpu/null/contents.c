/* Contents: what copies leave in memory, and the few kernels of torch that are executed: fills, strided copies, and random
   numbers on request. Fills are noted and made when memory is looked at; a copy is not made again while nothing has changed.

   Kernels are found by their mangled names; where their arguments lie is read from torch's sources (ATen/native/cuda/CUDALoops.cuh,
   ATen/cuda/detail/OffsetCalculator.cuh, ATen/native/cuda/DistributionTemplates.h). Nothing is written unless sizes and
   addresses make sense, so that another torch with another layout leaves memory as it was. */
#include "null.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DIMS = 25 }; /* of OffsetCalculator.cuh */
static const size_t MOST_ELEMENTS = 1 << 14; /* written one by one: more would take the host longer than a device */
static const size_t MOST_DRAWN = 1 << 16; /* random numbers, repeated from there on: 16 million take a host a second */
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

/* ---- copies: which ranges are the same, since a host copies slower than a device and would do so at each call ---- */
static struct pair { const char *to, *from; size_t bytes; } COPIED[64];
static int copied;

static bool meets(const char *start, size_t bytes, const char *other, size_t others) {
  return start < other + others && other < start + bytes;
}

static void forget_copies(const char *start, size_t bytes) {
  for (int i = copied - 1; i >= 0; i--)
    if (meets(COPIED[i].to, COPIED[i].bytes, start, bytes) || meets(COPIED[i].from, COPIED[i].bytes, start, bytes))
      COPIED[i] = COPIED[--copied];
}

void note_written(const void *start, size_t bytes) {
  pthread_mutex_lock(&PENDING);
  forget_copies(start, bytes);
  pthread_mutex_unlock(&PENDING);
}

static void copy_once(void *to, const void *from, size_t bytes) {
  pthread_mutex_lock(&PENDING);
  bool is_there = false;
  for (int i = 0; i < copied && !is_there; i++) is_there = COPIED[i].to == to && COPIED[i].from == from && COPIED[i].bytes == bytes;
  if (!is_there) {
    forget_copies(to, bytes);
    memmove(to, from, bytes);
    if (copied == sizeof COPIED / sizeof *COPIED) COPIED[0] = COPIED[--copied];
    if (!meets(to, bytes, from, bytes)) COPIED[copied++] = (struct pair){to, from, bytes};
  }
  pthread_mutex_unlock(&PENDING);
}

static bool lies_in_a_block(const char *start, size_t bytes) {
  struct block block = block_at(start);
  return block.start && start + bytes <= block.start + block.bytes;
}

/* ---- fills: noted, and made when the memory is next looked at, since a host fills slower than a device ---- */
static struct pending { char *to; size_t bytes, size; char value[16]; } FILLS[64];
static int fills;

static bool overlaps(const struct pending *fill, const char *start, size_t bytes) { return meets(fill->to, fill->bytes, start, bytes); }

static void remove_fill(int place) { memmove(&FILLS[place], &FILLS[place + 1], (--fills - place) * sizeof *FILLS); }

/* In the order in which they were noted: those before the end that lie in this memory, each after what it is written over. */
static void make_noted(const char *start, size_t bytes, int end) {
  for (int place = 0; place < end;) {
    if (!overlaps(&FILLS[place], start, bytes)) {
      place++;
      continue;
    }
    struct pending fill = FILLS[place];
    int before = fills;
    make_noted(fill.to, fill.bytes, place);
    place -= before - fills;
    remove_fill(place);
    end -= before - fills;
    if (fill.size == 1) memset(fill.to, fill.value[0], fill.bytes);
    else
      for (size_t at = 0; at < fill.bytes; at += fill.size) memcpy(fill.to + at, fill.value, fill.size);
  }
}

void make_fills(const void *start, size_t bytes) {
  pthread_mutex_lock(&PENDING);
  make_noted(start, bytes, fills);
  pthread_mutex_unlock(&PENDING);
}

void forget_fills(const void *start, size_t bytes) {
  pthread_mutex_lock(&PENDING);
  for (int place = fills - 1; place >= 0; place--)
    if (overlaps(&FILLS[place], start, bytes)) remove_fill(place);
  forget_copies(start, bytes);
  pthread_mutex_unlock(&PENDING);
}

static bool fill(char *to, const char *value, size_t size, size_t count) {
  struct pending made = {.to = to, .bytes = count * size, .size = size};
  if (size > sizeof made.value || !lies_in_a_block(to, made.bytes)) return false;
  memcpy(made.value, value, size);
  pthread_mutex_lock(&PENDING);
  forget_copies(to, made.bytes);
  for (int place = fills - 1; place >= 0; place--)
    if (FILLS[place].to >= to && FILLS[place].to + FILLS[place].bytes <= to + made.bytes) /* all of it is written over */
      remove_fill(place);
  if (fills == sizeof FILLS / sizeof *FILLS) make_noted(FILLS[0].to, FILLS[0].bytes, 1);
  FILLS[fills++] = made;
  pthread_mutex_unlock(&PENDING);
  return true;
}

/* Notes for one range the fills that are noted for another, if they cover all of it; whether it could. */
static bool fill_alike(void *to, const void *from, size_t bytes) {
  struct pending parts[sizeof FILLS / sizeof *FILLS];
  const char *start = from, *end = start + bytes, *reach = start;
  int count = 0;
  bool is_whole = true; /* no element is cut through */
  pthread_mutex_lock(&PENDING);
  for (int place = 0; place < fills; place++) {
    struct pending one = FILLS[place];
    if (!overlaps(&one, start, bytes)) continue;
    const char *first = one.to > start ? one.to : start, *last = one.to + one.bytes < end ? one.to + one.bytes : end;
    is_whole = is_whole && (first - one.to) % one.size == 0 && (last - first) % one.size == 0;
    one.to = (char *)to + (first - start);
    one.bytes = last - first;
    parts[count++] = one;
  }
  pthread_mutex_unlock(&PENDING);
  for (int i = 0; i < count; i++) /* as far as they lie one behind the other */
    for (int j = 0; j < count; j++) {
      const char *first = start + (parts[j].to - (char *)to);
      if (first <= reach && first + parts[j].bytes > reach) reach = first + parts[j].bytes;
    }
  if (reach < end || !is_whole || meets(start, bytes, to, bytes)) return false;
  for (int i = 0; i < count; i++) fill(parts[i].to, parts[i].value, parts[i].size, parts[i].bytes / parts[i].size);
  return true;
}

void copy_within(void *to, const void *from, size_t bytes) {
  if (fill_alike(to, from, bytes)) return;
  make_fills(from, bytes);
  make_fills(to, bytes);
  copy_once(to, from, bytes);
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
  note_written(at.data[0], offset(&at, count - 1, 0) + size);
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
  make_fills(how->out, count * size);
  note_written(how->out, count * size);
  const uint64_t *seed_offset = arguments[1]; /* PhiloxCudaState */
  state = seed_offset[0] * 0x2545F4914F6CDD1Du + seed_offset[1];
  size_t drawn = count < MOST_DRAWN ? count : MOST_DRAWN;
  for (size_t i = 0; i < drawn; i++) {
    int64_t whole = is_whole ? how->base + (int64_t)(uniform() * how->range) : 0;
    if (is_whole) memcpy(how->out + i * size, &whole, size);
    else put_real(how->out + i * size, is_normal ? normal() : uniform(), size, is_brain);
  }
  for (size_t more; drawn < count; drawn += more) {
    more = drawn < count - drawn ? drawn : count - drawn;
    memcpy(how->out + drawn * size, how->out, more * size);
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
