/* A function resolves no names and knows no users: whatever it may reach, the node hands to it.
 * hiredis and libuv refer to these all the same, and a static glibc would load shared libraries for
 * them. Defined here, they keep that machinery out of every function. */
#include <netdb.h>
#include <pwd.h>
#include <stddef.h>

int getaddrinfo(const char* name, const char* service, const struct addrinfo* hints,
                struct addrinfo** result) {
  (void)name, (void)service, (void)hints, (void)result;
  return EAI_FAIL;
}

void freeaddrinfo(struct addrinfo* list) {
  (void)list;
}

const char* gai_strerror(int code) {
  (void)code;
  return "functions resolve no names";
}

int getpwuid_r(uid_t user, struct passwd* entry, char* buffer, size_t size,
               struct passwd** result) {
  (void)user, (void)entry, (void)buffer, (void)size;
  *result = NULL;
  return 0;
}
