// Randomness for secrets, straight from the kernel's cryptographic generator (getrandom(2)).
#pragma once

#include <span>
#include <string>

namespace auth {

// Fills `out`; blocks only before the kernel's generator is first seeded, early at boot. Safe from any thread.
void fill_secret_bytes(std::span<unsigned char> out);

// A random UUID (version 4, RFC 9562, section 5.4), lower case: the form of every id this service makes up.
std::string random_uuid();

}  // namespace auth
