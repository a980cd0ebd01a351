// Package embedding finds out what tools and requests mean by a model outside: an endpoint that the operator named, which turns
// texts into vectors (POST /embeddings of OpenAI's API).
//
// It owns the vectors of all tools, made in the background and kept in a file (file.go), the comparison of a request's vector with
// them (table.go, nearest.go), the vectors of requests (requests.go), and what "near" means for the model at hand (scale.go). It
// does not rank: package search does, and asks a Table for nothing but how near tools come. When the endpoint fails, a search goes on
// without it at once.
//
// In memory a tool costs an eighth of a byte for each dimension and some 40 bytes; its vector, a byte for each dimension, is in the file.
package embedding
