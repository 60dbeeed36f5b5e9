// Beam's programs that `make engines` builds; go.sum holds their checksums.
module engines

go 1.22

require github.com/apache/beam/sdks/v2 v2.62.0
