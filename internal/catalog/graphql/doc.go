// Package graphql makes toolkits of GraphQL schemas, whether introspected or in the schema language (SDL): each query and each
// mutation becomes a tool with the operation written out. What an answer holds by default is a few plain fields of each object;
// an argument lets a caller choose others.
//
// The package fetches nothing: IntrospectionQuery is sent by whoever can reach the API.
package graphql
