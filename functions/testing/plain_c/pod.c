/* A pod in plain C, without the SDK and without Protobuf, written from docs/pod-protocol.md alone.
 * It shows that the page is enough, and a test runs it.
 *
 *   GET  /hello   a greeting
 *   any  /echo    the body back while it still comes, in constant memory
 *   else          404
 *
 * One invocation at a time, as CONFIG says by default; one thread. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
  HELLO = 1,
  CONFIG,
  INVOKE,
  BODY,
  RESULT,
  CALL,
  CONNECT,
  CONNECTED,
  WINDOW,
  CANCEL,
  LOG,
  DRAIN
};
enum { CHANNEL = 3, END = 1, HEADER_BYTES = 16, PART_BYTES_MAX = 65536, EXIT_BREACH = 76 };
enum { WINDOW_BYTES = 262144, ANNOUNCE_BYTES = WINDOW_BYTES / 2 };

struct frame {
  unsigned type, flags;
  uint32_t stream, head_bytes, body_bytes;
  unsigned char head[PART_BYTES_MAX];
  unsigned char body[PART_BYTES_MAX];
};

/* "This binary speaks the pod protocol, version 1": a node looks for it at deploy. */
__attribute__((used, aligned(4), section(".note.subito"))) static const struct {
  uint32_t name_bytes, description_bytes, type;
  char name[8];
  uint32_t version;
} note = {7, 4, 1, "Subito", 1};

/* The invocation in hand. */
static struct {
  uint32_t stream;       /* the newest one; ids only grow */
  int ours_open;         /* we have not ended our answer */
  int theirs_open;       /* the request is not complete */
  int echoes;            /* its body goes back */
  uint64_t credit;       /* what we may send */
  uint64_t their_credit; /* what they may send */
  uint32_t to_announce;  /* used up, not yet given back by WINDOW */
  size_t begin, end;     /* what came and is not sent yet, in pending */
} now;

static unsigned char pending[WINDOW_BYTES];
static struct frame frame;
static int draining;

static void breach(const char* reason) {
  fprintf(stderr, "the node broke the protocol: %s\n", reason);
  exit(EXIT_BREACH);
}

/* 0 at the end of the channel. */
static int read_fully(void* to, size_t bytes) {
  unsigned char* at = to;
  while (bytes > 0) {
    const ssize_t count = read(CHANNEL, at, bytes);
    if (count <= 0) return 0;
    at += count;
    bytes -= (size_t)count;
  }
  return 1;
}

static void write_fully(const void* from, size_t bytes) {
  const unsigned char* at = from;
  while (bytes > 0) {
    const ssize_t count = write(CHANNEL, at, bytes);
    if (count <= 0) exit(0); /* the node is gone */
    at += count;
    bytes -= (size_t)count;
  }
}

static void put32(unsigned char* at, uint32_t value) {
  for (int i = 0; i < 4; ++i) at[i] = (unsigned char)(value >> (8 * i));
}

static uint32_t get32(const unsigned char* at) {
  return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void send_frame(unsigned type, unsigned flags, uint32_t stream, const void* head,
                       size_t head_bytes, const void* body, size_t body_bytes) {
  unsigned char out[HEADER_BYTES] = {1, (unsigned char)type, (unsigned char)flags, 0};
  put32(out + 4, stream);
  put32(out + 8, (uint32_t)head_bytes);
  put32(out + 12, (uint32_t)body_bytes);
  write_fully(out, sizeof out);
  if (head_bytes > 0) write_fully(head, head_bytes);
  if (body_bytes > 0) write_fully(body, body_bytes);
}

static int read_frame(void) {
  unsigned char in[HEADER_BYTES];
  if (!read_fully(in, sizeof in)) return 0;
  if (in[0] != 1) breach("another version");
  if (in[2] > END || in[3] != 0) breach("an unknown flag");
  frame.type = in[1];
  frame.flags = in[2];
  frame.stream = get32(in + 4);
  frame.head_bytes = get32(in + 8);
  frame.body_bytes = get32(in + 12);
  if (frame.head_bytes > PART_BYTES_MAX || frame.body_bytes > PART_BYTES_MAX) {
    breach("a length over its limit");
  }
  return read_fully(frame.head, frame.head_bytes) && read_fully(frame.body, frame.body_bytes);
}

/* Protobuf, as much of it as is needed. */

static size_t put_varint(unsigned char* at, uint64_t value) {
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) at[size++] = (unsigned char)(value | 0x80);
  at[size++] = (unsigned char)value;
  return size;
}

struct reader {
  const unsigned char* at;
  const unsigned char* end;
};

static uint64_t get_varint(struct reader* in) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (in->at == in->end) breach("a head that is cut off");
    const unsigned char byte = *in->at++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  breach("a number without end");
  return 0;
}

/* The next field's number, 0 at the end. A field of bytes is in `bytes`, a number in `value`. */
static unsigned next_field(struct reader* in, struct reader* bytes, uint64_t* value) {
  if (in->at == in->end) return 0;
  const uint64_t key = get_varint(in);
  *value = get_varint(in);
  if ((key & 7) == 2) {
    if (*value > (uint64_t)(in->end - in->at)) breach("a field longer than its head");
    bytes->at = in->at;
    bytes->end = in->at += *value;
  } else if ((key & 7) != 0) {
    breach("a field of a kind that is not used");
  }
  return (unsigned)(key >> 3);
}

/* The answer. */

static void send_result(unsigned status, const char* body, unsigned flags) {
  static const char header[] =
      "\x12\x1a\x0a\x0c"
      "content-type"
      "\x12\x0a"
      "text/plain";
  unsigned char head[64] = {0x08};
  size_t size = 1 + put_varint(head + 1, status);
  memcpy(head + size, header, sizeof header - 1);
  size += sizeof header - 1;
  if (flags == END) {
    head[size++] = 0x18;
    size += put_varint(head + size, strlen(body));
  }
  send_frame(RESULT, flags, now.stream, head, size, body, strlen(body));
  now.credit -= strlen(body);
  now.ours_open = flags != END;
}

static void give_credit_back(uint32_t bytes) {
  now.to_announce += bytes;
  if (!now.theirs_open || now.to_announce < ANNOUNCE_BYTES) return;
  unsigned char head[8] = {0x08};
  send_frame(WINDOW, 0, now.stream, head, 1 + put_varint(head + 1, now.to_announce), NULL, 0);
  now.their_credit += now.to_announce;
  now.to_announce = 0;
}

/* Sends what may be sent of what is there. */
static void echo_on(void) {
  while (now.ours_open && now.begin < now.end && now.credit > 0) {
    size_t size = now.end - now.begin;
    if (size > PART_BYTES_MAX) size = PART_BYTES_MAX;
    if (size > now.credit) size = now.credit;
    send_frame(BODY, 0, now.stream, NULL, 0, pending + now.begin, size);
    now.credit -= size;
    now.begin += size;
    give_credit_back((uint32_t)size);
  }
  if (now.ours_open && now.begin == now.end && !now.theirs_open) {
    send_frame(BODY, END, now.stream, NULL, 0, NULL, 0);
    now.ours_open = 0;
  }
}

static void take_body(void) {
  if (frame.body_bytes > now.their_credit) breach("more body than credit");
  now.their_credit -= frame.body_bytes;
  if (frame.flags & END) now.theirs_open = 0;
  if (!now.echoes || !now.ours_open) return; /* the answer is complete: of no interest */
  memmove(pending, pending + now.begin, now.end - now.begin);
  now.end -= now.begin;
  now.begin = 0;
  memcpy(pending + now.end, frame.body, frame.body_bytes); /* the credit says that it fits */
  now.end += frame.body_bytes;
  echo_on();
}

static int is(const struct reader* text, const char* word) {
  const size_t size = (size_t)(text->end - text->at);
  return size == strlen(word) && memcmp(text->at, word, size) == 0;
}

static void on_invoke(void) {
  if (frame.stream % 2 == 0 || frame.stream <= now.stream) breach("INVOKE with a wrong id");
  if (now.ours_open) breach("INVOKE while another runs");
  if (draining) breach("INVOKE after DRAIN");
  struct reader head = {frame.head, frame.head + frame.head_bytes};
  struct reader path = {frame.head, frame.head};
  struct reader bytes = path;
  uint64_t value = 0;
  for (unsigned field = 0; (field = next_field(&head, &bytes, &value)) != 0;) {
    if (field == 2) path = bytes;
  }
  memset(&now, 0, sizeof now);
  now.stream = frame.stream;
  now.ours_open = now.theirs_open = 1;
  now.credit = now.their_credit = WINDOW_BYTES;
  now.echoes = is(&path, "/echo");
  if (now.echoes) {
    send_result(200, "", 0);
  } else if (is(&path, "/hello")) {
    send_result(200, "hello from plain C\n", END);
  } else {
    send_result(404, "nothing is here\n", END);
  }
  take_body();
}

static void on_window(void) {
  struct reader head = {frame.head, frame.head + frame.head_bytes};
  struct reader bytes;
  uint64_t value = 0;
  while (next_field(&head, &bytes, &value) == 1) now.credit += value;
  echo_on();
}

static void on_cancel(void) {
  now.theirs_open = 0;
  if (!now.ours_open) return;
  send_frame(CANCEL, 0, now.stream, NULL, 0, NULL, 0);
  now.ours_open = 0;
}

static void on_frame(void) {
  const int current = frame.stream == now.stream && frame.stream != 0;
  switch (frame.type) {
    case CONFIG:
      break; /* nothing in it that this pod needs */
    case INVOKE:
      on_invoke();
      break;
    case BODY:
      if (!current || !now.theirs_open) breach("BODY for a stream that is not open");
      take_body();
      break;
    case WINDOW:
      if (current && now.ours_open) on_window();
      break;
    case CANCEL:
      if (current) on_cancel();
      break;
    case DRAIN:
      draining = 1;
      break;
    default:
      breach("a frame that is not for a pod");
  }
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  send_frame(HELLO, 0, 0, "\x0a\x07plain C", 9, NULL, 0);
  if (!read_frame()) return 0;
  if (frame.type != CONFIG) breach("no CONFIG at the beginning");
  while (!(draining && !now.ours_open) && read_frame()) on_frame();
  return 0;
}
