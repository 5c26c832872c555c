// Leaving an image of this process, from which pods begin in place of an exec (start: template).
// Knows nothing of channels, so that any program can do it.
//
// Everything is in the image that is in memory; nothing else is. So refused are threads and open
// descriptors: those of the image's pods would not have them.
#pragma once

namespace subito::sdk {

// The process that calls it writes its memory to `image` (protocol/image.h; a memfd, sized for it)
// and ends: with status 0, and the reason in the image if it was refused. Returns in each process
// that begins as the image, and in these alone. Of one thread, descriptors 0 to `descriptor_last`.
// Owns `image`.
void leave_image(int image, int descriptor_last);

}  // namespace subito::sdk
