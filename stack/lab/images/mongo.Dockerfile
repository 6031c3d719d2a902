# In the place of Docker Hub's mongo: the stand-in of the tests. It knows no users and no replica set.
ARG BASE
FROM ${BASE}
COPY stand-in mongosh /usr/local/bin/
COPY libs /usr/local/secantusdb.libs
ENV LD_LIBRARY_PATH=/usr/local/secantusdb.libs
RUN groupadd --gid 999 mongodb && useradd --uid 999 --gid 999 mongodb \
    && install -d -o mongodb -g mongodb /data/db && chmod 755 /usr/local/bin/stand-in /usr/local/bin/mongosh
COPY mongod.sh /usr/local/bin/mongod
USER mongodb
ENTRYPOINT []
CMD ["mongod"]
