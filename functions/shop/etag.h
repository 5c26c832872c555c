// ETags (RFC 9110): reading only what changed, and changing only what one has read. Pure.
//
// A thing with a version has that as its tag, "7"; a list has the hash of its bytes and of
// where it goes on.
#pragma once

#include <subito/function.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shop {

// "7", with its quotes. `version` is at least 1.
std::string etag_of_version(std::int64_t version);

// The versions that If-Match names; none for "*", any version. Throws HttpError 428
// "if-match-missing" without the header and 412 "version-changed" where no tag can be a version of
// ours.
std::vector<std::int64_t> versions_of_if_match(const subito::Request& request);

// `answer` with the ETag, or 304 without a body if the request's If-None-Match has it.
subito::Response tagged(const subito::Request& request, subito::Response answer,
                        const std::string& etag);
// The same with the tag of the body's bytes and of the header Link.
subito::Response tagged(const subito::Request& request, subito::Response answer);

}  // namespace shop
