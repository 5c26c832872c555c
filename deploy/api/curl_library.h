// libcurl, loaded when a client first needs it and not with the program: with the dozen libraries
// behind it, it would cost an idle node, which never calls anybody, three megabytes.
#pragma once

#include <curl/curl.h>

#include "runtime/base/result.h"

namespace subito::api {

struct CurlLibrary {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
};

// For the process's life. Ends the process with a message when the library is not there: it is
// among the package's dependencies.
const CurlLibrary& curl_library();

}  // namespace subito::api
