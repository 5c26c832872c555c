#include "runtime/http/malformed_requests.h"

#include <string_view>

namespace subito::http {
namespace {

using namespace std::string_literals;

std::string get(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

std::string chunked(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

std::vector<MalformedRequest> start_lines() {
  return {
      {"bare_lf_everywhere", 400, "GET / HTTP/1.1\nHost: a\n\n"},
      {"bare_lf_after_start_line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"},
      {"bare_lf_before_start_line", 400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"bare_cr_in_start_line", 400, "GET / HTTP/1.1\rHost: a\r\n\r\n"},
      {"many_empty_lines_first", 400, "\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space_first", 400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two_spaces_after_method", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"two_spaces_before_version", 400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"space_after_version", 400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"},
      {"tab_for_space", 400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"no_version", 400, "GET /\r\nHost: a\r\n\r\n"},
      {"nul_in_method", 400, "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"s},
      {"bracket_in_method", 400, "G[T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"unknown_method", 501, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"unknown_method_and_a_later_fault", 501, "BREW / HTTP/1.1\r\nHost: \0\r\n\r\n"s},
      {"lower_case_method", 501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"method_of_rtsp", 501, "PLAY / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"rtsp", 400, "GET / RTSP/1.0\r\nHost: a\r\n\r\n"},
      {"ice", 400, "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"},
      {"lower_case_protocol", 400, "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"version_0_9", 505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n"},
      {"version_1_2", 505, "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"version_2_0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
      {"version_1_10", 400, "GET / HTTP/1.10\r\nHost: a\r\n\r\n"},
      {"version_letters", 400, "GET / HTTP/x.y\r\nHost: a\r\n\r\n"},
      {"preface_of_http_2", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      {"tls_client_hello", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s},
  };
}

std::vector<MalformedRequest> targets() {
  return {
      {"relative_target", 400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"fragment", 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"nul_in_target", 400, "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"s},
      {"high_byte_in_target", 400, "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"backslash_in_path", 400, "GET /a\\..\\b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"asterisk_without_options", 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"asterisk_with_more", 400, "OPTIONS *a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"connect", 501, "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"},
      {"authority_without_connect", 400, "GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"},
      {"foreign_scheme", 400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"user_in_absolute_target", 400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"no_authority_in_absolute_target", 400, "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"absolute_target_without_host", 400, "GET http://a/ HTTP/1.1\r\n\r\n"},
      {"absolute_target_with_two_hosts", 400,
       "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
      {"long_target", 414, "GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"},
  };
}

std::vector<MalformedRequest> fields() {
  return {
      {"no_host", 400, "GET / HTTP/1.1\r\n\r\n"},
      {"two_hosts", 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
      {"empty_host", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
      {"host_list", 400, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"},
      {"host_with_path", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
      {"host_with_user", 400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
      {"host_with_bad_port", 400, "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n"},
      {"host_with_large_port", 400, "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"},
      {"folded_field", 400, get("X: a\r\n b\r\n")},
      {"folded_first_field", 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
      {"folded_with_tab", 400, get("X: a\r\n\tb\r\n")},
      {"space_before_colon", 400, get("X : a\r\n")},
      {"empty_name", 400, get(": a\r\n")},
      {"no_colon", 400, get("X\r\n")},
      {"bare_lf_in_fields", 400, get("X: a\nY: b\r\n")},
      {"bare_lf_at_end", 400, "GET / HTTP/1.1\r\nHost: a\r\n\n"},
      {"bare_cr_in_value", 400, get("X: a\rb\r\n")},
      {"nul_in_value", 400, get("X: a\0b\r\n"s)},
      {"nul_in_name", 400, get("X\0: a\r\n"s)},
      {"escape_in_value", 400, get("X: a\x1b[2J\r\n")},
      {"delete_in_value", 400, get("X: a\x7f\r\n")},
      {"high_byte_in_name", 400, get("X\xff: a\r\n")},
      {"unknown_expectation", 417, get("Expect: 200-ok\r\n")},
      {"large_head", 431, get("X: " + std::string(40'000, 'a') + "\r\n")},
      {"many_fields", 431, get([] {
         std::string lines;
         for (int i = 0; i < 200; ++i) lines += "X: a\r\n";
         return lines;
       }())},
  };
}

std::vector<MalformedRequest> framing() {
  const std::string te = "Transfer-Encoding: chunked\r\n";
  return {
      {"length_and_chunked", 400, get("Content-Length: 5\r\n" + te) + "0\r\n\r\n"},
      {"chunked_and_length", 400, get(te + "Content-Length: 5\r\n") + "0\r\n\r\n"},
      {"two_lengths", 400, get("Content-Length: 5\r\nContent-Length: 6\r\n") + "abcdef"},
      {"same_length_twice", 400, get("Content-Length: 5\r\nContent-Length: 5\r\n") + "abcde"},
      {"length_list", 400, get("Content-Length: 5, 5\r\n") + "abcde"},
      {"length_with_plus", 400, get("Content-Length: +5\r\n") + "abcde"},
      {"length_negative", 400, get("Content-Length: -5\r\n") + "abcde"},
      {"length_hexadecimal", 400, get("Content-Length: 0x5\r\n") + "abcde"},
      {"length_with_space", 400, get("Content-Length: 1 2\r\n") + "abcde"},
      {"length_empty", 400, get("Content-Length:\r\n")},
      {"length_overflows", 400, get("Content-Length: 99999999999999999999999\r\n")},
      {"length_over_limit", 413, get("Content-Length: 99999999999999\r\n")},
      {"encoding_unknown", 400, get("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n"},
      {"encoding_identity", 400, get("Transfer-Encoding: identity\r\n")},
      {"encoding_list", 400, get("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n"},
      {"encoding_chunked_not_last", 400, get("Transfer-Encoding: chunked, gzip\r\n")},
      {"encoding_chunked_twice", 400, get(te + te) + "0\r\n\r\n"},
      {"encoding_chunked_list", 400, get("Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n"},
      {"encoding_hidden_by_control", 400,
       get("Transfer-Encoding: \x0b"
           "chunked\r\n")},
      {"encoding_quoted", 400, get("Transfer-Encoding: \"chunked\"\r\n")},
      {"encoding_with_parameter", 400, get("Transfer-Encoding: chunked;q=1\r\n")},
      {"encoding_empty", 400, get("Transfer-Encoding:\r\n")},
      {"encoding_in_1_0", 400,
       "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
  };
}

std::vector<MalformedRequest> chunks() {
  std::string many_extensions;
  for (int i = 0; i < 100; ++i) many_extensions += "1;" + std::string(100, 'x') + "\r\na\r\n";
  return {
      {"chunk_size_empty", 400, chunked("\r\n\r\n")},
      {"chunk_size_not_hexadecimal", 400, chunked("xyz\r\nabc\r\n0\r\n\r\n")},
      {"chunk_size_with_0x", 400, chunked("0x3\r\nabc\r\n0\r\n\r\n")},
      {"chunk_size_with_plus", 400, chunked("+3\r\nabc\r\n0\r\n\r\n")},
      {"chunk_size_with_minus", 400, chunked("-3\r\nabc\r\n0\r\n\r\n")},
      {"chunk_size_space_first", 400, chunked(" 3\r\nabc\r\n0\r\n\r\n")},
      {"chunk_size_space_behind", 400, chunked("3 \r\nabc\r\n0\r\n\r\n")},
      {"chunk_size_overflows", 400, chunked("10000000000000003\r\nabc\r\n0\r\n\r\n")},
      {"chunk_size_over_limit", 413, chunked("fffffffffffff\r\n")},
      {"chunk_size_bare_lf", 400, chunked("3\nabc\r\n0\r\n\r\n")},
      {"chunk_size_bare_cr", 400, chunked("3\rabc\r\n0\r\n\r\n")},
      {"chunk_longer_than_size", 400, chunked("3\r\nabcd\r\n0\r\n\r\n")},
      {"chunk_end_bare_lf", 400, chunked("3\r\nabc\n0\r\n\r\n")},
      {"chunk_end_bare_cr", 400, chunked("3\r\nabc\r0\r\n\r\n")},
      {"chunk_end_lf_in_place", 400, chunked("3\r\nabcX\n0\r\n\r\n")},
      {"chunk_end_missing", 400, chunked("3\r\nabc0\r\n\r\n")},
      {"chunk_extension_bare_lf", 400, chunked("3;a\nabc\r\n0\r\n\r\n")},
      {"chunk_extension_nul", 400, chunked("3;\0\r\nabc\r\n0\r\n\r\n"s)},
      {"chunk_extension_long", 400, chunked("3;" + std::string(300, 'x') + "\r\nabc\r\n")},
      {"chunk_extensions_many", 400, chunked(many_extensions)},
      {"trailer_folded", 400, chunked("0\r\nX: a\r\n b\r\n\r\n")},
      {"trailer_without_colon", 400, chunked("0\r\nGET / HTTP/1.1\r\n\r\n")},
      {"trailer_bare_lf", 400, chunked("0\r\nX: a\n\r\n")},
      {"trailer_end_bare_lf", 400, chunked("0\r\n\n")},
      {"trailers_large", 431, chunked("0\r\nX: " + std::string(5000, 'a') + "\r\n\r\n")},
  };
}

}  // namespace

std::vector<MalformedRequest> malformed_requests() {
  std::vector<MalformedRequest> all;
  for (const auto& part : {start_lines(), targets(), fields(), framing(), chunks()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace subito::http
