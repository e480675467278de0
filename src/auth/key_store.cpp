#include "auth/key_store.hpp"

namespace auth {

bool is_active(const KeyRecord& record, base::WallTime now) {
    return !record.revoked_at && (!record.expires_at || now < *record.expires_at);
}

}  // namespace auth
