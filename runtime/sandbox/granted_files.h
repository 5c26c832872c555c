// Files that a pod finds in its /tmp when its function begins: packed by the node into one sealed
// memfd, which travels with the LaunchRequest, and unpacked by the sandbox just before it becomes
// the function, as the pod's own user. Both ends are of one build.
//
//   u32 count, then for each file: u32 path_bytes (its NUL included), u32 bytes, path, content
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace subito::sandbox {

struct GrantedFile {
  std::string path;  // absolute, below /tmp; folders are made
  std::string_view bytes;
};

std::size_t packed_bytes(const std::vector<GrantedFile>& files);
// Fills exactly that many bytes.
void pack_files(const std::vector<GrantedFile>& files, char* out);

// In the sandbox: mode 0400, folders 0700. 0 or an errno; EBADMSG: it is no such pack.
int unpack_files(int pack);

}  // namespace subito::sandbox
