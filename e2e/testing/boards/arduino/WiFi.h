// For tests: the board is connected.
#pragma once
