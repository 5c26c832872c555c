#include "deploy/api/curl_library.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

namespace subito::api {
namespace {

constexpr const char* kLibrary = "libcurl.so.4";

template <typename Function>
void take(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function != nullptr) return;
  std::fprintf(stderr, "subito: load %s: it has no %s\n", kLibrary, name);
  std::exit(1);
}

CurlLibrary load() {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "subito: load %s: %s; install with: apt-get install libcurl4\n", kLibrary,
                 ::dlerror());
    std::exit(1);
  }
  CurlLibrary curl;
  take(library, "curl_global_init", curl.global_init);
  take(library, "curl_easy_init", curl.easy_init);
  take(library, "curl_easy_cleanup", curl.easy_cleanup);
  take(library, "curl_easy_reset", curl.easy_reset);
  take(library, "curl_easy_setopt", curl.easy_setopt);
  take(library, "curl_easy_perform", curl.easy_perform);
  take(library, "curl_easy_getinfo", curl.easy_getinfo);
  take(library, "curl_easy_strerror", curl.easy_strerror);
  take(library, "curl_slist_append", curl.slist_append);
  take(library, "curl_slist_free_all", curl.slist_free_all);
  return curl;
}

}  // namespace

const CurlLibrary& curl_library() {
  static const CurlLibrary library = load();
  return library;
}

}  // namespace subito::api
