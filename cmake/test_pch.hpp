// Precompiled for unit tests.
#include "pch.hpp"

#include <gtest/gtest.h>
