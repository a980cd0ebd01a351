# The server in an image with nothing else in it:
#
#   docker build -t patchbay --build-arg VERSION=$(git describe --tags --always) .
#   docker run -p 8484:8484 -v patchbay:/data patchbay
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /patchbay ./cmd/patchbay && mkdir /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /patchbay /patchbay
COPY --from=build --chown=nonroot:nonroot --chmod=700 /data /data
ENV PATCHBAY_LISTEN=:8484 PATCHBAY_DATA=/data
VOLUME /data
EXPOSE 8484
ENTRYPOINT ["/patchbay"]
CMD ["serve"]
